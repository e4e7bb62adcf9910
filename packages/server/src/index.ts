export { loadConfig, type ConfigSources, type LoadedConfig } from './config/load.js'
export { Config, TokenConfig } from './config/schema.js'
export { serve, type ServeOptions, type Serving } from './serve.js'
export { createServer, type ServerOptions } from './server.js'
