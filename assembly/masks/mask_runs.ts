// Run lengths of bytes that are 0 or 1.

/**
 * Goes on with a mask's runs through columns of `height` bytes, each followed by `gap` zeros. `state` is the byte and the length of the
 * run that has not ended. Writes the i32 lengths of those that have, and returns how many.
 */
export function mask_runs(src: usize, columns: i32, height: i32, gap: i32, state: usize, runs: usize): i32 {
  let byte = load<i32>(state);
  let run = load<i32>(state, 4);
  let to = runs;
  for (let column = 0; column < columns; column++) {
    let at = 0;
    for (;;) {
      const end = endOfRun(src, at, height, byte);
      run += end - at;
      at = end;
      if (at == height) break;
      store<i32>(to, run);
      to += 4;
      run = 0;
      byte ^= 1;
    }
    if (gap > 0 && byte == 1) {
      store<i32>(to, run);
      to += 4;
      run = 0;
      byte = 0;
    }
    run += gap;
    src += height;
  }
  store<i32>(state, byte);
  store<i32>(state, run, 4);
  return <i32> ((to - runs) >> 2);
}

function endOfRun(src: usize, at: i32, height: i32, byte: i32): i32 {
  const wanted = i8x16.splat(<i8> byte);
  for (; at < height; at += 16) {
    const others = i8x16.bitmask(i8x16.ne(v128.load(src + at), wanted));
    if (others != 0) return min(at + ctz(others), height);
  }
  return height;
}
