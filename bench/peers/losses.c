/*
 * Losses in C as plain loops. Those over elements clang turns into SIMD, the one over boxes it does not. Sums are added
 * up in float within a block and in double above.
 * exp and log1p have the ranges that a loss needs, because there is no libm in a bare module.
 */
#define BLOCK 512

static inline float min(float a, float b) { return a < b ? a : b; }
static inline float max(float a, float b) { return a > b ? a : b; }

/* exp(x) for x <= 0: 2^n times a Taylor polynomial of what is left, |r| <= ln(2) / 2. */
static inline float exp_negative(float x) {
  x = max(x, -87.0f);
  float n = __builtin_nearbyintf(x * 1.44269504f);
  float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  float tail = 1 / 24.0f + r * (1 / 120.0f + r * (1 / 720.0f));
  float power = 1 + r * (1 + r * (1 / 2.0f + r * (1 / 6.0f + r * tail)));
  union { int bits; float value; } scale = { ((int)n + 127) << 23 };
  return power * scale.value;
}

/* log(1 + e) for 0 <= e <= 1: 2 artanh(s) with s = e / (2 + e) <= 1/3. */
static inline float log1p_unit(float e) {
  float s = e / (2 + e);
  float q = s * s;
  float tail = 1 / 7.0f + q * (1 / 9.0f + q * (1 / 11.0f + q * (1 / 13.0f)));
  return 2 * s * (1 + q * (1 / 3.0f + q * (1 / 5.0f + q * tail)));
}

/* |y - s|^2 BCE(x, y), s the sigmoid of x; its gradient too where `grad` is not null. */
static inline float quality_focal_element(float x, float y, float *grad) {
  float e = exp_negative(x < 0 ? x : -x);
  float high = 1 / (1 + e);
  float s = x < 0 ? 1 - high : high;
  float cost = max(x, 0) - x * y + log1p_unit(e);
  float d = s - y;
  if (grad) *grad = d * (2 * s * (1 - s) * cost + d * d);
  return d * d * cost;
}

double quality_focal_loss(const float *restrict pred, const float *restrict target, int n) {
  double sum = 0;
  for (int at = 0; at < n; at += BLOCK) {
    int end = at + BLOCK < n ? at + BLOCK : n;
    float part = 0;
    for (int i = at; i < end; i++) part += quality_focal_element(pred[i], target[i], 0);
    sum += part;
  }
  return sum;
}

double quality_focal_loss_gradient(const float *restrict pred, const float *restrict target, int n, float *restrict grad) {
  double sum = 0;
  for (int at = 0; at < n; at += BLOCK) {
    int end = at + BLOCK < n ? at + BLOCK : n;
    float part = 0;
    for (int i = at; i < end; i++) part += quality_focal_element(pred[i], target[i], &grad[i]);
    sum += part;
  }
  return sum;
}

static inline float area(const float *box) { return (box[2] - box[0]) * (box[3] - box[1]); }

static inline float giou_row(const float *a, const float *b) {
  float width = max(min(a[2], b[2]) - max(a[0], b[0]), 0);
  float height = max(min(a[3], b[3]) - max(a[1], b[1]), 0);
  float overlap = width * height;
  float together = area(a) + area(b) - overlap;
  float enclosing = (max(a[2], b[2]) - min(a[0], b[0])) * (max(a[3], b[3]) - min(a[1], b[1]));
  return 1 - overlap / (together + 1e-7f) + (enclosing - together) / (enclosing + 1e-7f);
}

/* `n` counts coordinates. */
double giou_loss(const float *restrict pred, const float *restrict target, int n) {
  double sum = 0;
  for (int at = 0; at < n; at += 4 * BLOCK) {
    int end = at + 4 * BLOCK < n ? at + 4 * BLOCK : n;
    float part = 0;
    for (int i = at; i < end; i += 4) part += giou_row(pred + i, target + i);
    sum += part;
  }
  return sum;
}
