import {
  jsonSerializer,
  upcaster,
  type EventDefinition,
  type SerializationContext,
  type Serializer,
  type Upcast,
  type Upcaster,
} from 'edict'
import type { KeyStore } from './key-store.ts'

export interface EncryptingSerializerOptions {
  readonly keys: KeyStore
  /** Whose data it is: the name of a key. Nothing where it is nobody's, and stays in clear. */
  readonly subjectOf: (data: unknown, context: SerializationContext) => string | undefined
}

/** What is stored: JSON, in clear or encrypted. */
type Envelope = { readonly clear: string } | { readonly subject: string; readonly iv: string; readonly sealed: string }

/** What is read where the key is gone. */
interface Forgotten {
  readonly '~forgotten': true
}

const FORGOTTEN: Forgotten = { '~forgotten': true }

/** Encrypts with AES-256-GCM, with a key for each person. */
export function encryptingSerializer({ keys, subjectOf }: EncryptingSerializerOptions): Serializer {
  return {
    contentType: 'application/vnd.example.encrypted+json',
    async encode(data, context) {
      const clear = String(await jsonSerializer.encode(data, context))
      const subject = subjectOf(data, context)
      if (subject === undefined) return envelope({ clear })
      const iv = crypto.getRandomValues(new Uint8Array(12))
      const key = await keys.obtain(subject)
      const sealed = await crypto.subtle.encrypt(algorithm(iv, context), key, new TextEncoder().encode(clear))
      return envelope({ subject, iv: toBase64(iv), sealed: toBase64(new Uint8Array(sealed)) })
    },
    async decode(encoded, context) {
      const stored = JSON.parse(String(encoded)) as Envelope
      if ('clear' in stored) return jsonSerializer.decode(stored.clear, context)
      const key = await keys.find(stored.subject)
      // A snapshot is no loss: the state is rebuilt from the events, which say now what may be said.
      if (key === undefined && context.snapshot) throw new Error('its key is destroyed')
      if (key === undefined) return FORGOTTEN
      const opened = await crypto.subtle.decrypt(
        algorithm(fromBase64(stored.iv), context),
        key,
        fromBase64(stored.sealed),
      )
      return jsonSerializer.decode(new TextDecoder().decode(opened), context)
    },
  }
}

/** For the upcasters: what is read of an event that is forgotten. Nothing, unless a redacted one is given. */
export function whenForgotten(personal: EventDefinition, redacted: Upcast | readonly Upcast[] = []): Upcaster {
  return upcaster(personal.type, { upcast: (event) => (isForgotten(event.data) ? redacted : event) })
}

function isForgotten(data: unknown): boolean {
  return typeof data === 'object' && data !== null && '~forgotten' in data
}

/** What is encrypted belongs to its place: it cannot be moved to another stream, or be taken for another event. */
function algorithm(iv: Uint8Array<ArrayBuffer>, { streamId, type, schemaVersion }: SerializationContext): AesGcmParams {
  const place = JSON.stringify([streamId, type, schemaVersion])
  return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(place) }
}

function envelope(stored: Envelope): string {
  return JSON.stringify(stored)
}

function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
