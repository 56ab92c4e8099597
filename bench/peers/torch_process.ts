/** PyTorch, in a process of its own. */
import { type PythonProcess, startPython } from "./python_process.ts";
import tensors from "./torch_tensors.py";

/** Starts a script of TASKS on tensors; it ends where it cannot. */
export function startTorch(script: string, wanted = "PyTorch"): Promise<PythonProcess> {
  return startPython(`${script}\n${tensors}`, wanted);
}
