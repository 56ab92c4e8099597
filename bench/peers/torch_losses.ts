/** Losses in PyTorch. */
import type { LossPeer } from "../loss_task.ts";
import script from "./torch_losses.py";
import { startTorch } from "./torch_process.ts";

export interface TorchLosses extends LossPeer {
  close(): void;
}

export async function torchLosses(): Promise<TorchLosses> {
  const torch = await startTorch(script);
  return {
    name: torch.name,
    async prepare({ loss, pred, predDims, target, targetDims, grad }) {
      if (!torch.tasks.includes(loss)) return null;
      const inputs = [{ data: pred, dims: predDims }, { data: target, dims: targetDims }];
      const prepared = await torch.prepare(loss, { grad }, inputs);
      return {
        clock: prepared.clock,
        run: async () => {
          const { value, arrays } = await prepared.run();
          return { loss: value, grad: arrays[0] };
        },
      };
    },
    close: () => torch.close(),
  };
}
