// The entry of the browser bundle: whoever runs it awaits `globalThis.smoke`.
import { smoke } from './smoke.mjs'

globalThis.smoke = smoke()
