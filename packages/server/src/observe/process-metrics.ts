import { type IntervalHistogram, monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { Family } from './exposition.js'
import { Histogram } from './histogram.js'

/** What this process counts of itself. */
export class ProcessMetrics {
  readonly requests = new Histogram(500)
  readonly #refusals = new Map<string, number>()
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 20 })
  readonly #version: string
  readonly #engine: string

  constructor(version: string, engine: string) {
    this.#version = version
    this.#engine = engine
    this.#delay.enable()
  }

  refused(reason: 'unauthenticated' | 'forbidden'): void {
    this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1)
  }

  stop(): void {
    this.#delay.disable()
  }

  families(now: { readonly connections: number; readonly memberships: number; readonly stale: number; readonly engineUp: boolean }): readonly Family[] {
    const gauge = (name: string, help: string, value: number, labels?: Readonly<Record<string, string>>): Family => ({
      name,
      type: 'gauge',
      help,
      samples: [{ value, ...(labels && { labels }) }],
    })
    const { user, system } = process.cpuUsage()
    return [
      gauge('millrace_build_info', 'Always 1.', 1, { version: this.#version, node: process.versions.node, engine: this.#engine }),
      gauge('millrace_engine_up', '1 when the engine answers.', now.engineUp ? 1 : 0, { engine: this.#engine }),
      { name: 'millrace_http_request_duration_seconds', type: 'histogram', help: 'From a request to its answer.', samples: this.requests.samples() },
      {
        name: 'millrace_auth_failures_total',
        type: 'counter',
        help: 'Requests that were refused.',
        samples: (['unauthenticated', 'forbidden'] as const).map((reason) => ({ labels: { reason }, value: this.#refusals.get(reason) ?? 0 })),
      },
      { name: 'millrace_stale_acks_total', type: 'counter', help: 'Answers to a lease that was over.', samples: [{ value: now.stale }] },
      gauge('millrace_pull_memberships', 'Groups that this server pulls from for clients.', now.memberships),
      gauge('millrace_gateway_connections', 'Open connections.', now.connections, { transport: 'http' }),
      gauge('millrace_event_loop_delay_seconds', 'How late timers are, 99th percentile.', this.#loopDelay()),
      gauge('process_resident_memory_bytes', 'Memory in use.', process.memoryUsage.rss()),
      { name: 'process_cpu_seconds_total', type: 'counter', help: 'Processor time.', samples: [{ value: (user + system) / 1e6 }] },
      gauge('process_start_time_seconds', 'Start of the process, seconds since 1970.', performance.timeOrigin / 1_000),
    ]
  }

  /** Above the 20 ms that the probe itself waits. */
  #loopDelay(): number {
    const late = this.#delay.percentile(99) / 1e9 - 0.02
    return Number.isFinite(late) ? Math.max(0, late) : 0
  }
}
