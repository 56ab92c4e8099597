/** Losses in PyTorch on the same GPU, through CUDA: operation by operation, or compiled. */
import type { GpuLossPeer } from "../loss_task.ts";
import script from "./torch_gpu_losses.py";
import { startTorch } from "./torch_process.ts";

export interface TorchGpuLosses extends GpuLossPeer {
  close(): void;
}

export async function torchGpuLosses(compiled: boolean): Promise<TorchGpuLosses> {
  const torch = await startTorch(script, "PyTorch 2 with CUDA");
  return {
    name: `${torch.name} (cuda, ${compiled ? "compiled" : "eager"})`,
    async prepare({ loss, pred, predDims, target, targetDims, grad }) {
      if (!torch.tasks.includes(loss)) return null;
      const inputs = [{ data: pred, dims: predDims }, { data: target, dims: targetDims }];
      const prepared = await torch.prepare(loss, { grad, compiled }, inputs);
      const run = async () => {
        const { value, arrays } = await prepared.run();
        return { loss: value, grad: arrays[0] };
      };
      return { resident: { clock: prepared.clock, run } };
    },
    close: () => torch.close(),
  };
}
