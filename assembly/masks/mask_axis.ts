// One axis of a window: between which two samples of the prototypes each of its pixels lies, and how near to each.
//
// In memory: the number of spans and the bytes of an array of weights; weights of the near, and of the far sample; spans. A span is a run
// of pixels between the same two samples: the offsets of these in bytes, its first pixel and its end.

const HEAD: usize = 16;

// @ts-ignore: decorator
@inline
export function spanCount(axis: usize): i32 {
  return load<i32>(axis);
}

/** Weights of the near sample. */
// @ts-ignore: decorator
@inline
export function nearWeights(axis: usize): usize {
  return axis + HEAD;
}

/** From a pixel's weight of the near sample to that of the far one. */
// @ts-ignore: decorator
@inline
export function farOffset(axis: usize): usize {
  return load<u32>(axis, 4);
}

// @ts-ignore: decorator
@inline
export function firstSpan(axis: usize): usize {
  return axis + HEAD + 2 * farOffset(axis);
}

/**
 * Fills an axis for `count` pixels from `first` on: pixel p is at ((p + ½) · scale + pad) · ratio − ½ in samples, of which there are
 * `samples`. Offsets are from the sample `origin`, `sampleBytes` to the next one. Takes 40 + 24 · count bytes at most.
 */
export function mask_axis(
  first: i32, count: i32, scale: f64, pad: f64, ratio: f64, samples: i32, origin: i32, sampleBytes: i32, axis: usize,
): void {
  // Pixels are taken by four, also behind the last.
  const bytes = (<usize> count + 3) << 2;
  store<u32>(axis, <u32> bytes, 4);
  let weight = nearWeights(axis);
  let span = firstSpan(axis) - 16;
  let spans = 0;
  let nearBefore = -1, farBefore = -1;
  for (let i = 0; i < count; i++) {
    const place = ((<f64> (first + i) + 0.5) * scale + pad) * ratio - 0.5;
    let near = 0, far = 0;
    // Beyond the edge, where its sample is repeated: half and half, so that an infinite one stays as it is.
    let share: f32 = 0.5;
    if (place >= <f64> (samples - 1)) {
      near = samples - 1;
      far = near;
    } else if (place > 0) {
      near = <i32> place;
      far = near + 1;
      share = <f32> (place - <f64> near);
      store<f32>(weight, <f32> (1 - (place - <f64> near)));
    }
    if (near == far) store<f32>(weight, 0.5);
    store<f32>(weight + bytes, share);
    weight += 4;
    if (near != nearBefore || far != farBefore) {
      nearBefore = near;
      farBefore = far;
      span += 16;
      spans++;
      store<i32>(span, (near - origin) * sampleBytes);
      store<i32>(span, (far - origin) * sampleBytes, 4);
      store<i32>(span, i, 8);
    }
    store<i32>(span, i + 1, 12);
  }
  store<i32>(axis, spans);
}
