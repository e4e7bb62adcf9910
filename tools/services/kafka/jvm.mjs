import { fileURLToPath } from 'node:url'
import { java } from '../java.mjs'
import { javaJars, noJars } from '../java-jars.mjs'
import { Missing } from '../missing.mjs'

const pom = fileURLToPath(new URL('./pom.xml', import.meta.url))
const serverLog = fileURLToPath(new URL('./server-log.yaml', import.meta.url))
const toolLog = fileURLToPath(new URL('./tool-log.yaml', import.meta.url))
/** Half the work of a start is compiling well what runs for a second. */
const quick = '-XX:TieredStopAtLevel=1'

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

/** How Kafka's programs are run: `{ command, server({ heapMb, load, log }), tool(main, { load }) }`, the latter two as arguments. */
export async function kafkaJvm() {
  const command = java()
  // Java spreads the star itself.
  const classes = ['-XX:-UsePerfData', '-XX:+UseSerialGC', '-cp', `${await javaJars(pom)}/*`]
  const compiled = (load) => (load ? [] : [quick])
  return {
    command,
    server: ({ heapMb, load, log }) => [`-Xmx${heapMb}m`, ...compiled(load), `-Dlog4j2.configurationFile=${serverLog}`, `-Dmillrace.log=${log}`, ...classes, 'kafka.Kafka'],
    tool: (main, { load = false } = {}) => [`-Xmx${load ? 512 : 256}m`, ...compiled(load), `-Dlog4j2.configurationFile=${toolLog}`, ...classes, main],
  }
}
