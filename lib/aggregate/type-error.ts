/** The type of a parameter that a call got wrong: nothing fits it, and the compiler's error prints the sentence. */
export interface EdictTypeError<Sentence extends string> {
  readonly '~error': Sentence
}

/** Lets everything through where there is no problem, else nothing, with the problem as the sentence. */
export type Unless<Problem extends string> = [Problem] extends [never] ? unknown : EdictTypeError<Problem>

/**
 * Marks what user code is inferred against. The compiler tries a call with the constraint itself before it looks into functions,
 * so a check must let the constraint through; by this key it knows it. Exists in types only.
 */
export declare const constraint: unique symbol
export interface Constraint {
  readonly [constraint]?: never
}
