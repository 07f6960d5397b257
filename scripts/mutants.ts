// mutants.ts: finds the kernel's checks in its sources, and makes sources in which each can be switched off by its number.

import ts from "typescript"

/** One check, or one part of it, that can be switched off. */
export interface Mutant {
  /** From the repository's root. */
  readonly path: string
  readonly line: number
  /** What is switched off, as it stands in the source, with its white space made one. */
  readonly text: string
}

const CHECK = /^(ensure|lookup)[A-Z]/
/** A switch that reads as `true` as long as the mutant with that number is not the one to run. */
const isOn = (number: number): string => `(globalThis.kaalMutant !== ${number})`

interface Edit {
  readonly start: number
  readonly end: number
  readonly before: string
  readonly after: string
}

/**
 * Which of these is a check, and what off means:
 * - `if (a || b) throw new KernelError`: each of a, b is false
 * - such a throw anywhere else: skipped; where `if (a && b) return` stands in front of it, also each of a, b is true
 * - a statement that only calls `ensureX` or `lookupX`: skipped
 * - `isSubset(a, b)`: true
 * - `Right.x` in what a look-up or a check is told to demand: nothing
 *
 * @param path   from the repository's root
 * @param source its text
 * @param first  number of the first mutant
 * @returns the mutants, numbered from `first`, and the text with a switch around each
 */
export function mutantsOf(path: string, source: string, first: number): { mutants: Mutant[]; text: string } {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.ESNext, true)
  const mutants: Mutant[] = []
  const edits: Edit[] = []
  const switched = new Set<ts.Node>()
  const add = (node: ts.Node, before: (on: string) => string, after: string): void => {
    if (switched.has(node)) return
    switched.add(node)
    const on = isOn(first + mutants.length)
    const line = file.getLineAndCharacterOfPosition(node.getStart()).line + 1
    mutants.push({ path, line, text: node.getText().replace(/\s+/g, " ") })
    edits.push({ start: node.getStart(), end: node.getEnd(), before: before(on), after })
  }
  const never = (node: ts.Node): void => add(node, on => `(${on} && (`, "))")
  const always = (node: ts.Node): void => add(node, on => `(!${on} || (`, "))")
  // In braces, so that an `else` behind it stays where it belongs.
  const skipped = (node: ts.Node): void => add(node, on => `{ if ${on} `, " }")

  const visit = (node: ts.Node): void => {
    if (ts.isIfStatement(node) && refuses(node.thenStatement)) {
      for (const part of partsOf(node.expression, ts.SyntaxKind.BarBarToken)) never(part)
    } else if (isRefusal(node) && !isThenOf(node)) {
      for (const part of guardsOf(node)) always(part)
      skipped(node)
    } else if (isCheckCall(node)) skipped(node)
    else if (ts.isCallExpression(node) && node.expression.getText() === "isSubset") always(node)
    else if (isDemandedRight(node)) add(node, on => `(${on} ? `, " : 0)")
    ts.forEachChild(node, visit)
  }
  visit(file)
  return { mutants, text: apply(source, edits) }
}

function isRefusal(node: ts.Node): boolean {
  return (
    ts.isThrowStatement(node) &&
    ts.isNewExpression(node.expression) &&
    node.expression.expression.getText() === "KernelError"
  )
}

/** True for a refusal, and for a block that ends with one. */
function refuses(statement: ts.Statement): boolean {
  const last = ts.isBlock(statement) ? statement.statements.at(-1) : statement
  return last !== undefined && isRefusal(last)
}

/** Whether the branch that a refusal stands in is the one that `visit` has switched by its condition. */
function isThenOf(refusal: ts.Node): boolean {
  const branch = ts.isBlock(refusal.parent) ? refusal.parent : refusal
  return ts.isIfStatement(branch.parent) && branch.parent.thenStatement === branch
}

function partsOf(expression: ts.Expression, operator: ts.SyntaxKind): ts.Expression[] {
  if (!ts.isBinaryExpression(expression) || expression.operatorToken.kind !== operator) return [expression]
  return [...partsOf(expression.left, operator), expression.right]
}

/** The parts of the condition under which a refusal's function returns just before it, where there are several. */
function guardsOf(refusal: ts.Node): ts.Expression[] {
  if (!ts.isBlock(refusal.parent)) return []
  const { statements } = refusal.parent
  const before = statements[statements.indexOf(refusal as ts.Statement) - 1]
  if (before === undefined || !ts.isIfStatement(before) || !ts.isReturnStatement(before.thenStatement)) return []
  const parts = partsOf(before.expression, ts.SyntaxKind.AmpersandAmpersandToken)
  return parts.length > 1 ? parts : []
}

function isCheckCall(node: ts.Node): boolean {
  if (!ts.isExpressionStatement(node) || !ts.isCallExpression(node.expression)) return false
  return CHECK.test(calleeOf(node.expression))
}

/** A right on its own in a statement that is a check is left out: with the statement it is switched off already. */
function isDemandedRight(node: ts.Node): boolean {
  if (!ts.isPropertyAccessExpression(node) || node.expression.getText() !== "Right") return false
  let call: ts.Node = node.parent
  while (ts.isBinaryExpression(call) || ts.isConditionalExpression(call)) call = call.parent
  if (!ts.isCallExpression(call) || !CHECK.test(calleeOf(call))) return false
  return call !== node.parent || !isCheckCall(call.parent)
}

function calleeOf({ expression }: ts.CallExpression): string {
  return ts.isPropertyAccessExpression(expression) ? expression.name.text : expression.getText()
}

/** Inserts what stands around each piece. Pieces lie beside or within one another; the outer ones were found first. */
function apply(source: string, edits: readonly Edit[]): string {
  const inserts = [
    ...edits.map(({ end, after }) => ({ at: end, text: after })).reverse(),
    ...edits.map(({ start, before }) => ({ at: start, text: before })),
  ]
  inserts.sort((a, b) => a.at - b.at)
  let text = ""
  let from = 0
  for (const { at, text: insert } of inserts) {
    text += source.slice(from, at) + insert
    from = at
  }
  return text + source.slice(from)
}
