export { confluent, type ConfluentOptions } from './confluent.js'
export { kafka, type KafkaOptions } from './kafka.js'
export { kafkajs, kafkajsAdmin, type KafkaJsModule, type KafkaJsOptions, type KafkaJsSettings } from './kafkajs/index.js'
export type * from './port.js'
