// Order by score: highest first, equal scores by lower index, NaN never.

/** Ascending keys for descending scores; -0 and +0 get one key. */
// @ts-ignore: decorator
@inline
function descendingKey(score: f32): u32 {
  const bits = reinterpret<u32>(score + 0);
  return bits ^ (<u32> (<i32> bits >> 31) | 0x80000000) ^ 0xffffffff;
}

const COUNTS = memory.data(256 * 4, 16);

/**
 * order = indices of the scores over `threshold` (NaN: of all but NaN scores), sorted; returns how many. Radix sort by byte,
 * stable, of pairs of a key and an index: apart, they took a quarter longer. `scratch` holds 4 * count words.
 */
export function sort_scores(scores: usize, count: i32, threshold: f32, order: usize, scratch: usize): i32 {
  let from = scratch;
  let to = scratch + (<usize> count << 3);
  let end = from;
  for (let i = 0; i < count; i++) {
    const score = load<f32>(scores + (<usize> i << 2));
    if (!(score > threshold || (threshold != threshold && score == score))) continue;
    store<u64>(end, (<u64> descendingKey(score) << 32) | i);
    end += 8;
  }
  const bytes = end - from;
  for (let byte: usize = 4; byte < 8; byte++) {
    sortByByte(from, bytes, byte, to);
    const other = from;
    from = to;
    to = other;
  }
  for (let i: usize = 0; i < bytes; i += 8) store<i32>(order + (i >> 1), load<i32>(from + i));
  return <i32> (bytes >> 3);
}

/** Pairs to `to`, in the order of one of their bytes. */
function sortByByte(from: usize, bytes: usize, byte: usize, to: usize): void {
  memory.fill(COUNTS, 0, 1024);
  for (let i: usize = 0; i < bytes; i += 8) {
    const counter = COUNTS + (<usize> load<u8>(from + i + byte) << 2);
    store<usize>(counter, load<usize>(counter) + 8);
  }
  // Where the pairs of each byte go.
  for (let i: usize = 0; i < 1024; i += 4) {
    const taken = load<usize>(COUNTS + i);
    store<usize>(COUNTS + i, to);
    to += taken;
  }
  for (let i: usize = 0; i < bytes; i += 8) {
    const place = COUNTS + (<usize> load<u8>(from + i + byte) << 2);
    const at = load<usize>(place);
    store<usize>(place, at + 8);
    store<u64>(at, load<u64>(from + i));
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
