/** Small and quiet: nothing is written unless a test asks for it, and a replica does not wait for company before it is served. */
export function settingsOf({ port, config = {} }) {
  return {
    bind: '127.0.0.1',
    port,
    'protected-mode': 'no',
    daemonize: 'no',
    save: '',
    'repl-diskless-sync-delay': 0,
    'repl-timeout': 10,
    'enable-debug-command': 'local',
    ...config,
    ...(config.requirepass === undefined ? {} : { masterauth: config.requirepass }),
  }
}

/** A node that does not answer for `nodeTimeoutMs` has failed, and a replica of it takes over. */
export function clusterSettingsOf({ port, busPort, config, nodeTimeoutMs = 2_000 }) {
  return {
    ...settingsOf({ port, config }),
    'cluster-enabled': 'yes',
    'cluster-port': busPort,
    'cluster-node-timeout': nodeTimeoutMs,
    'cluster-replica-validity-factor': 0,
  }
}

/** Watches the primary by the name `name`; one that does not answer for `downMs` has failed. */
export function sentinelSettingsOf({ port, name, primary, password, downMs = 1_000 }) {
  const monitored = [`monitor ${name} 127.0.0.1 ${primary} 2`, `down-after-milliseconds ${name} ${downMs}`, `failover-timeout ${name} 5000`]
  return {
    bind: '127.0.0.1',
    port,
    'protected-mode': 'no',
    daemonize: 'no',
    sentinel: password === undefined ? monitored : [...monitored, `auth-pass ${name} ${password}`],
  }
}
