// Kinds of weights: `weightKind` of a loss's block. Without weights it is 0; 2 is a weight for each row.

export const NO_WEIGHT: i32 = 0;
export const ELEMENT_WEIGHT: i32 = 1;
