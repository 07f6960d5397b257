// ring-mutants.ts: every atomic access and every comparison of the ring's hot code and of its waits, changed, one at a time: an
// access made plain, a comparison turned round or its bound moved by one, a part of a condition left out.

import ts from "typescript"

export interface RingMutant {
  /** From the repository's root. */
  readonly path: string
  /** The function or method that it is in. */
  readonly within: string
  /** The piece as it stands in the source and as it becomes, with their white space made one. */
  readonly from: string
  readonly to: string
  /** The how manieth of its function with that text, from 1. */
  readonly nth: number
  /** The whole file with that one change. */
  readonly text: string
}

const { SyntaxKind } = ts
const OTHERS: Readonly<Partial<Record<ts.SyntaxKind, readonly string[]>>> = {
  [SyntaxKind.EqualsEqualsToken]: ["!="],
  [SyntaxKind.EqualsEqualsEqualsToken]: ["!=="],
  [SyntaxKind.ExclamationEqualsToken]: ["=="],
  [SyntaxKind.ExclamationEqualsEqualsToken]: ["==="],
  [SyntaxKind.LessThanToken]: ["<=", ">="],
  [SyntaxKind.LessThanEqualsToken]: ["<", ">"],
  [SyntaxKind.GreaterThanToken]: [">=", "<="],
  [SyntaxKind.GreaterThanEqualsToken]: [">", "<"],
}
const JOINTS = new Set([SyntaxKind.AmpersandAmpersandToken, SyntaxKind.BarBarToken])

/**
 * @param path   from the repository's root
 * @param source its text
 * @param within only in these functions and methods; everywhere when it is left out
 */
export function ringMutantsOf(path: string, source: string, within?: readonly string[]): RingMutant[] {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.ESNext, true)
  const mutants: RingMutant[] = []
  const add = (node: ts.Node, to: string): void => {
    const name = functionOf(node)
    if (within !== undefined && !within.includes(name)) return
    const from = node.getText()
    const text = source.slice(0, node.getStart()) + to + source.slice(node.getEnd())
    const change = { path, within: name, from: inOneLine(from), to: inOneLine(to) }
    const before = mutants.filter(
      other => other.within === name && other.from === change.from && other.to === change.to,
    )
    mutants.push({ ...change, nth: before.length + 1, text })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isBinaryExpression(node)) {
      const [left, right] = [node.left.getText(), node.right.getText()]
      for (const operator of OTHERS[node.operatorToken.kind] ?? []) add(node, `${left} ${operator} ${right}`)
      if (JOINTS.has(node.operatorToken.kind)) for (const part of [left, right]) add(node, part)
    } else if (ts.isCallExpression(node)) {
      const called = node.expression.getText()
      if (called === "atomic.load" || called === "atomic.store") add(node, node.getText().slice("atomic.".length))
      else if (called.startsWith("atomic.")) add(node, "0")
      else if (called === "min" || called === "max") for (const part of node.arguments) add(node, part.getText())
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return mutants
}

function functionOf(node: ts.Node): string {
  for (let at = node; at !== undefined; at = at.parent) {
    if ((ts.isFunctionDeclaration(at) || ts.isMethodDeclaration(at)) && at.name !== undefined) return at.name.getText()
    if (ts.isConstructorDeclaration(at)) return "constructor"
  }
  return "the module"
}

function inOneLine(text: string): string {
  return text.replace(/\s+/g, " ")
}
