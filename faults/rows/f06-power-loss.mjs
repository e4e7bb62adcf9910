import { campaign } from '../power/campaign.mjs'
import { serverCampaign } from '../power/server-campaign.mjs'
import { buildShim, noShim } from '../power/shim.mjs'
import { noFiles } from './servers.mjs'

/**
 * The host loses power. A killed process proves nothing about that: the system still has what it wrote. LMDB rewrites its file in place, so
 * cutting files to what was synced, as one may with logs that only grow, would be no power loss either.
 *
 * Method: every process writes its store through a shim (`power/shim.c`, LD_PRELOAD), which logs each write with its bytes, each sync, each write that waits for
 * the disk, the naming of a new file and the sync of its folder. Everybody is killed. Then, as often as time allows, a moment of that log is drawn, and
 * what a disk may hold that lost its power then is made from it (`power/disk.mjs`: what was synced is there; every other sector of 512 bytes holds any content that it had
 * since, so that writes are dropped, torn and reordered). The engine opens that file, on a host that has booted anew, and the checker holds it to all
 * that was acknowledged until that moment.
 *
 * Honest, because the shim sees all that reaches the file (it stops the run when the file is mapped for writing) and the disk keeps nothing but what it
 * promised to keep; and because the same images at durability `os` must lose messages, or the row fails: a test that cannot lose is no test.
 * An engine on a server that only appends to its files (`appends`) is held to the same by a simpler method, in power/server-campaign.mjs: the server is killed, its files are cut
 * to what was synced, and it starts again under clients that live.
 * Not covered: disks that lie about their syncs, sectors that tear, other damage that a loss of power does, and file systems that lose their own records.
 */
export const powerLoss = {
  id: 'F6',
  title: 'the host loses its power',
  seconds: 40,
  cannot: (adapter) => (adapter.appends ? undefined : noFiles(adapter)) ?? noShim(),
  run: (context) => (context.adapter.appends ? serverCampaign(context) : hostCampaign(context)),
}

async function hostCampaign({ row, adapter, run, seconds, progress }) {
  const library = buildShim(run.folder)
  const began = performance.now()
  const until = (share) => () => performance.now() - began < seconds * 1_000 * share
  const kept = await campaign({ row, adapter, run, library, progress, durability: 'fsync', seconds: Math.min(8, seconds * 0.15), least: 3, lasts: until(0.75) })
  const os = await campaign({ row, adapter, run, library, progress, durability: 'os', seconds: 1, least: 2, lasts: until(1) })
  const troubles = [...kept.troubles, ...os.troubles]
  if (os.lost === 0) troubles.push(`at durability os ${os.images} losses of power cost nothing: this row cannot see a loss`)
  const { attempts, acknowledged, lost, duplicated, found, images, counts } = kept
  return {
    attempts, acknowledged, lost, duplicated, violations: found.length, faults: images, happened: { 'power loss': images }, found, troubles,
    details: { ...counts },
    os: { faults: os.images, acknowledged: os.acknowledged, lost: os.lost, details: os.counts },
    notes: [`of these losses of power: ${listed(counts)}`, `at durability os: ${os.lost} of ${os.acknowledged} acknowledged lost in ${os.images} losses of power (${listed(os.counts)})`],
  }
}

function listed(counts) {
  return Object.entries(counts).map(([what, count]) => `${count} ${what}`).join(', ')
}
