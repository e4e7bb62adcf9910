import { fileURLToPath } from 'node:url'
import { java } from '../java.mjs'
import { javaJars, noJars } from '../java-jars.mjs'
import { Missing } from '../missing.mjs'

const pom = fileURLToPath(new URL('./pom.xml', import.meta.url))
const serverLog = fileURLToPath(new URL('./server-log.yaml', import.meta.url))
const toolLog = fileURLToPath(new URL('./tool-log.yaml', import.meta.url))
/** For programs that run a second or two. */
const brief = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC']

/** Why no Kafka can run here; undefined where it can. */
export function noKafka() {
  try {
    java()
    return noJars(pom)
  } catch (error) {
    if (error instanceof Missing) return error.message
    throw error
  }
}

/** How Kafka's programs are run: `{ command, server(heapMb, log), tool(main, heapMb) }`, the latter two as arguments. */
export async function kafkaJvm() {
  const command = java()
  // Java spreads the star itself, in an order that is always the same.
  const classes = ['-XX:-UsePerfData', '-cp', `${await javaJars(pom)}/*`]
  return {
    command,
    server: (heapMb, log) => [`-Xmx${heapMb}m`, '-XX:+UseSerialGC', `-Dlog4j2.configurationFile=${serverLog}`, `-Dmillrace.log=${log}`, ...classes, 'kafka.Kafka'],
    tool: (main, heapMb) => [...(heapMb === undefined ? brief : [`-Xmx${heapMb}m`]), `-Dlog4j2.configurationFile=${toolLog}`, ...classes, main],
  }
}
