// msgpackr-no-eval.d.ts: the build of msgpackr that generates no code and loads no addon; it comes without types of its own.
declare module "msgpackr/index-no-eval" {
  export { Packr, Unpackr } from "msgpackr"
}
