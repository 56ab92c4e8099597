// Order by score: highest first, equal scores by lower index, NaN never.

/** Ascending keys for descending scores; -0 and +0 get one key. */
// @ts-ignore: decorator
@inline
function descendingKey(score: f32): u32 {
  const bits = reinterpret<u32>(score + 0);
  return bits ^ (<u32> (<i32> bits >> 31) | 0x80000000) ^ 0xffffffff;
}

const COUNTS = memory.data(4 * 256 * 4, 16);

/**
 * order = indices of the scores over `threshold` (NaN: of all but NaN scores), sorted; returns how many. Radix sort by byte,
 * stable. `scratch` holds 3 * count words.
 */
export function sort_scores(scores: usize, count: i32, threshold: f32, order: usize, scratch: usize): i32 {
  const bytes = <usize> count << 2;
  let keys = scratch;
  let otherKeys = scratch + bytes;
  let from = order;
  let to = scratch + 2 * bytes;
  memory.fill(COUNTS, 0, 4096);
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const score = load<f32>(scores + (<usize> i << 2));
    if (!(score > threshold || (threshold != threshold && score == score))) continue;
    const key = descendingKey(score);
    store<u32>(keys + (<usize> kept << 2), key);
    store<i32>(from + (<usize> kept << 2), i);
    kept++;
    for (let byte: u32 = 0; byte < 4; byte++) {
      const counter = COUNTS + (byte << 10) + (((key >> (byte << 3)) & 255) << 2);
      store<i32>(counter, load<i32>(counter) + 1);
    }
  }
  for (let byte: u32 = 0; byte < 4; byte++) {
    if (!spreadsOver(COUNTS + (byte << 10), kept)) continue;
    scatter(keys, from, otherKeys, to, kept, byte);
    const k = keys;
    keys = otherKeys;
    otherKeys = k;
    const f = from;
    from = to;
    to = f;
  }
  if (from != order) memory.copy(order, from, <usize> kept << 2);
  return kept;
}

/** Turns the counts of one byte into start positions; false if all keys share the byte. */
function spreadsOver(counts: usize, total: i32): bool {
  let start = 0;
  let single = false;
  for (let i: usize = 0; i < 1024; i += 4) {
    const n = load<i32>(counts + i);
    single = single || n == total;
    store<i32>(counts + i, start);
    start += n;
  }
  return !single;
}

function scatter(keys: usize, from: usize, otherKeys: usize, to: usize, count: i32, byte: u32): void {
  const counts = COUNTS + (byte << 10);
  for (let i = 0; i < count; i++) {
    const key = load<u32>(keys + (<usize> i << 2));
    const position = counts + (((key >> (byte << 3)) & 255) << 2);
    const at = load<i32>(position);
    store<i32>(position, at + 1);
    store<u32>(otherKeys + (<usize> at << 2), key);
    store<i32>(to + (<usize> at << 2), load<i32>(from + (<usize> i << 2)));
  }
}

/**
 * indices = the k best scores in index order (fewer where there are fewer that are not NaN); returns how many. Finds the key
 * of the k-th byte by byte, so the cost does not depend on k.
 */
export function top_k(scores: usize, count: i32, k: i32, indices: usize): i32 {
  let prefix: u32 = 0;
  let mask: u32 = 0;
  let wanted = k;
  for (let shift: i32 = 24; shift >= 0; shift -= 8) {
    memory.fill(COUNTS, 0, 1024);
    countBytes(scores, count, prefix, mask, shift);
    let byte: u32 = 0;
    for (; byte < 255; byte++) {
      const n = load<i32>(COUNTS + (byte << 2));
      if (wanted <= n) break;
      wanted -= n;
    }
    prefix |= byte << shift;
    mask |= <u32> 255 << shift;
  }
  // Keys below the k-th all belong; `wanted` of those equal to it do.
  let found = 0;
  for (let i = 0; i < count; i++) {
    const score = load<f32>(scores + (<usize> i << 2));
    if (score != score) continue;
    const key = descendingKey(score);
    if (key > prefix || (key == prefix && wanted-- <= 0)) continue;
    store<i32>(indices + (<usize> found << 2), i);
    found++;
  }
  return found;
}

function countBytes(scores: usize, count: i32, prefix: u32, mask: u32, shift: i32): void {
  for (let i = 0; i < count; i++) {
    const score = load<f32>(scores + (<usize> i << 2));
    if (score != score) continue;
    const key = descendingKey(score);
    if ((key & mask) != prefix) continue;
    const counter = COUNTS + (((key >> shift) & 255) << 2);
    store<i32>(counter, load<i32>(counter) + 1);
  }
}
