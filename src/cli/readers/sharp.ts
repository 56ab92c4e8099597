/**
 * The part of sharp that the command uses.
 */

/** Where a picture is on its way through sharp. */
export interface SharpPicture {
  metadata(): Promise<{ readonly format?: string; readonly orientation?: number }>;
  /** Turned as its EXIF orientation says. */
  rotate(): SharpPicture;
  removeAlpha(): SharpPicture;
  toColourspace(space: "srgb"): SharpPicture;
  raw(options: { depth: "uchar" }): SharpPicture;
  png(): SharpPicture;
  toBuffer(): Promise<Uint8Array>;
  toBuffer(
    options: { resolveWithObject: true },
  ): Promise<{ data: Uint8Array; info: { width: number; height: number } }>;
}

/** Begins with a file's bytes. */
export type Sharp = (bytes: Uint8Array, options: { ignoreIcc: boolean }) => SharpPicture;
