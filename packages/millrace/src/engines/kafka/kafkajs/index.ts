export { kafkajs, kafkajsAdmin, type KafkaJsOptions } from './client.js'
export type { KafkaJsModule } from './module.js'
export type { KafkaJsSettings } from './settings.js'
