// derivation-tree.ts: who was derived from whom. Every operation here takes constant time and none recurses.
//
// Children are a doubly linked list under their parent. A capability that is deleted while two or more were derived
// from it stays in the tree without a slot (a "stump"), so that its children still hang below its parent without each
// of them being touched. A stump goes as soon as it has one child, which takes its place, or none: stumps are fewer
// than capabilities.

import type { Capability } from "./capability.ts"

/**
 * Makes `child`, which stands nowhere in the tree yet, the first child of `parent`; a root where there is no parent.
 */
export function linkChild(parent: Capability | undefined, child: Capability): void {
  child.parent = parent
  if (parent === undefined) return
  child.next = parent.firstChild
  if (parent.firstChild !== undefined) parent.firstChild.previous = child
  parent.firstChild = child
}

/** Takes `node` out of the tree if it is a stump that nothing needs any more; its parents likewise. */
export function settle(node: Capability): void {
  let stump: Capability | undefined = node
  while (stump !== undefined && stump.cnode === undefined && stump.claims === 0) {
    const parent: Capability | undefined = stump.parent
    const child = stump.firstChild
    if (child === undefined) cut(stump)
    else if (child.next === undefined) replace(stump, child)
    else return
    stump = parent
  }
}

/**
 * Moves `child` from below its parent to just before `sibling`, among the children of sibling's parent. A removal
 * flattens the subtree this way, one node at a time, so that it can stop anywhere and needs no stack.
 */
export function hoist(child: Capability, sibling: Capability): void {
  cut(child)
  child.parent = sibling.parent
  child.previous = sibling.previous
  child.next = sibling
  if (sibling.previous !== undefined) sibling.previous.next = child
  else if (sibling.parent !== undefined) sibling.parent.firstChild = child
  sibling.previous = child
}

function cut(node: Capability): void {
  if (node.previous !== undefined) node.previous.next = node.next
  else if (node.parent !== undefined) node.parent.firstChild = node.next
  if (node.next !== undefined) node.next.previous = node.previous
  node.parent = undefined
  node.previous = undefined
  node.next = undefined
}

function replace(stump: Capability, onlyChild: Capability): void {
  onlyChild.parent = stump.parent
  onlyChild.previous = stump.previous
  onlyChild.next = stump.next
  if (stump.previous !== undefined) stump.previous.next = onlyChild
  else if (stump.parent !== undefined) stump.parent.firstChild = onlyChild
  if (stump.next !== undefined) stump.next.previous = onlyChild
  stump.parent = undefined
  stump.firstChild = undefined
  stump.previous = undefined
  stump.next = undefined
}
