/** Losses in PyTorch. */
import type { LossPeer } from "../loss_task.ts";
import script from "./torch_losses.py";
import type { PythonProcess } from "./python_process.ts";
import { startTorch } from "./torch_process.ts";

export interface TorchLosses extends LossPeer {
  /** It has losses of other inputs too. */
  readonly process: PythonProcess;
  close(): void;
}

export async function torchLosses(): Promise<TorchLosses> {
  const torch = await startTorch(script);
  return {
    name: torch.name,
    process: torch,
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
