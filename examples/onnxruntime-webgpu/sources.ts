/** Where pictures come from: a drawn scene, a camera, or a file. */
import type { Picture } from "./detector.ts";
import { createScene, drawScene } from "./scene.ts";

/** Hears of a picture, which stays what it is until the promise resolves. */
export type Show = (picture: Picture) => Promise<void>;

/** Shows its pictures, one after the other, until it is stopped. */
export interface Source {
  /** The only picture, where it does not move. */
  readonly still?: ImageBitmap;
  start(show: Show): void;
  stop(): void;
}

/** Shapes that move. */
export function sceneSource(): Source {
  const canvas = createScene();
  let request = 0;
  let stopped = false;
  return {
    start(show) {
      const next = () => {
        request = requestAnimationFrame(async (time) => {
          drawScene(canvas, time / 1000);
          await show(canvas);
          if (!stopped) next();
        });
      };
      next();
    },
    stop() {
      stopped = true;
      cancelAnimationFrame(request);
    },
  };
}

export async function cameraSource(): Promise<Source> {
  if (navigator.mediaDevices === undefined) throw new Error("a page has cameras only on localhost or over https");
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  const video = document.createElement("video");
  video.srcObject = stream;
  return videoSource(video, () => stream.getTracks().forEach((track) => track.stop()));
}

/** A picture, or a video that begins again at its end. */
export async function fileSource(file: File): Promise<Source> {
  if (file.type.startsWith("image/")) return stillSource(await createImageBitmap(file));
  const url = URL.createObjectURL(file);
  const video = document.createElement("video");
  video.src = url;
  video.loop = true;
  return videoSource(video, () => URL.revokeObjectURL(url));
}

function stillSource(picture: ImageBitmap): Source {
  return {
    still: picture,
    start(show) {
      show(picture);
    },
    stop() {
      picture.close();
    },
  };
}

async function videoSource(video: HTMLVideoElement, release: () => void): Promise<Source> {
  video.muted = true;
  video.playsInline = true;
  try {
    await video.play();
    if (video.videoWidth === 0) throw new Error("it has no picture");
  } catch (error) {
    release();
    throw error;
  }
  // A video goes on while the network runs; its frame in a canvas stays.
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  let stopped = false;
  return {
    start(show) {
      const next = () => {
        video.requestVideoFrameCallback(async () => {
          const { videoWidth: width, videoHeight: height } = video;
          if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
          context.drawImage(video, 0, 0);
          await show(canvas);
          if (!stopped) next();
        });
      };
      next();
    },
    stop() {
      stopped = true;
      video.pause();
      release();
    },
  };
}
