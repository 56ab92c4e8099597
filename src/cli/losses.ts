/**
 * The losses as the command knows them: the registry's records of losses, by the names that people type.
 */
import { losses } from "../generated/losses.ts";
import type { LossFacts } from "../ops/loss_call.ts";
import type { Param } from "../params.ts";
import type { SyncOps } from "../types.ts";
import { UsageError } from "./errors.ts";
import { suggestion } from "./suggest.ts";

/** A loss as the library calls it. */
export type LossName = Extract<keyof SyncOps, `${string}Loss`>;

const LOSSES = losses as Readonly<Record<LossName, LossFacts>>;
const PAIR = { pred: "", target: "" };
const NAMES = Object.keys(LOSSES) as LossName[];

/** Every loss in kebab-case, or those that a condition holds for. */
export function lossNames(wanted: (loss: LossFacts) => boolean = () => true): string[] {
  return NAMES.filter((name) => wanted(LOSSES[name])).map(kebab);
}

/** Every loss of a kind with its short name: "quality-focal-loss (qfl)". */
export function namesOfKind(kind: LossFacts["kind"]): string[] {
  return NAMES.filter((name) => LOSSES[name].kind === kind).map((name) => {
    const { alias } = LOSSES[name];
    return alias === undefined ? kebab(name) : `${kebab(name)} (${alias})`;
  });
}

/** "quality-focal-loss", "qualityFocalLoss", "Quality_Focal_Loss", "quality-focal" and "qfl" are one. */
export function lossOf(typed: string): LossName {
  const plain = (name: string) => name.toLowerCase().replaceAll(/[-_]/g, "").replace(/loss$/, "");
  const found = NAMES.find((name) => [plain(name), LOSSES[name].alias].includes(plain(typed)));
  if (found !== undefined) return found;
  const aliases = NAMES.flatMap((name) => LOSSES[name].alias ?? []);
  const meant = suggestion(typed, [...lossNames(), ...aliases]);
  throw new UsageError(`${JSON.stringify(typed)} is no loss; wanted one of ${lossNames().join(", ")}${meant}`);
}

export function recordOf(name: LossName): LossFacts {
  return LOSSES[name];
}

/** Names of the arguments before the options, in order. */
export function operandsOf(name: LossName): string[] {
  return Object.keys(LOSSES[name].operands ?? PAIR);
}

/** What losses with operands of their own take in the place of an argument: "oks-loss: keypoints (N, K, 2)". */
export function ownOperands(operand: string): string[] {
  return NAMES.flatMap((name) => {
    const text = LOSSES[name].operands?.[operand];
    return text === undefined ? [] : `${kebab(name)}: ${text}`;
  });
}

/** Arguments that only losses with operands of their own have, in the order of the registry. */
export function furtherOperands(): string[] {
  return [...new Set(NAMES.flatMap(operandsOf))].filter((operand) => !(operand in PAIR));
}

/** Parameters of a loss beside those of every loss. */
export function ownParams(name: LossName): Readonly<Record<string, Param>> {
  return LOSSES[name].params;
}

/** Losses that have a parameter, by its name, in the order of the registry. */
export function lossesByParam(): Readonly<Record<string, LossName[]>> {
  const found: Record<string, LossName[]> = {};
  for (const name of NAMES) {
    for (const param of Object.keys(ownParams(name))) (found[param] ??= []).push(name);
  }
  return found;
}

/** qualityFocalLoss → quality-focal-loss. */
export function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
}

/** bin-step → binStep. */
export function camel(name: string): string {
  return name.replaceAll(/-(\w)/g, (_, letter) => letter.toUpperCase());
}
