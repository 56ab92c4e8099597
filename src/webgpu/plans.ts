/**
 * The plan of every criterion, by its name.
 */
import type { PlanOf } from "./criterion.ts";
import { plans as generated } from "./generated/plans.ts";

export const plans = generated as unknown as Readonly<Record<string, PlanOf>>;
