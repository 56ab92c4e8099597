/** The little of the protobuf wire format that an ONNX file needs. */
export type Bytes = Uint8Array;

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** An integer field; negative ones are not needed here except −1, which is all ones. */
export function integerField(field: number, value: number): Bytes {
  return concat([
    varint(field << 3 | VARINT),
    varint(BigInt.asUintN(64, BigInt(value))),
  ]);
}

export function textField(field: number, text: string): Bytes {
  return bytesField(field, new TextEncoder().encode(text));
}

/** A message within a message. */
export function messageField(field: number, ...parts: readonly Bytes[]): Bytes {
  return bytesField(field, concat(parts));
}

export function bytesField(field: number, bytes: Bytes): Bytes {
  return concat([
    varint(field << 3 | LENGTH_DELIMITED),
    varint(bytes.length),
    bytes,
  ]);
}

export function concat(parts: readonly Bytes[]): Bytes {
  const whole = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Seven bits a byte, the lowest first; the top bit says that more follow. */
function varint(value: number | bigint): Bytes {
  const bytes: number[] = [];
  let rest = BigInt(value);
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
