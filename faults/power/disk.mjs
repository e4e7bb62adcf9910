const sectorBytes = 512
const pageBytes = 4_096
const sectorsInPage = pageBytes / sectorBytes

/**
 * A disk behind the system's cache, told what a process wrote and synced, record by record. At any time `image` is what a
 * power loss may leave of the file.
 *
 * The rule: a sector of 512 bytes is written whole or not at all, and holds any of the contents that it has had since it was
 * last synced, each sector for itself. That is every order in which the system may write its cache back, every write dropped,
 * and every write torn; a disk that breaks it lies about its syncs or tears sectors. A sync that failed leaves the sectors
 * as they may be and the cache clean, as Linux does: no later sync writes them, but a later write to the same page does.
 */
export class Disk {
  #cache = Buffer.alloc(0)
  #cacheSize = 0
  #disk = Buffer.alloc(0)
  #diskSize = 0
  /** Sector to the contents that it has had since it was last synced. */
  #versions = new Map()
  /** Pages of the cache that are not on their way to the disk. */
  #dirty = new Set()
  /** Step of a sync that is under way, to the pages that were dirty when it began and have not been touched since. */
  #syncs = new Map()
  #hasName = false
  #isNameSynced = false

  get unsynced() {
    return this.#versions.size
  }

  take(record) {
    if (record.type === 'write') this.#write(record)
    else if (record.type === 'durable') this.#settle(pagesOf(record))
    else if (record.type === 'lost') for (const page of pagesOf(record)) this.#dirty.delete(page)
    else if (record.type === 'sync') this.#syncs.set(record.step, new Set(this.#dirty))
    else if (record.type === 'synced') this.#synced(record.step)
    else if (record.type === 'sync failed') this.#failed(record.step)
    else if (record.type === 'named') this.#hasName = true
    else if (record.type === 'folder synced') this.#isNameSynced ||= this.#hasName
    else throw new Error(`a ${record.type} is beyond this disk`)
  }

  #write({ offset, bytes }) {
    const end = offset + bytes.length
    this.#cache = grown(this.#cache, end)
    bytes.copy(this.#cache, offset)
    this.#cacheSize = Math.max(this.#cacheSize, end)
    for (let sector = Math.floor(offset / sectorBytes); sector * sectorBytes < end; sector += 1) {
      const versions = this.#versions.get(sector) ?? []
      versions.push(Buffer.from(this.#cache.subarray(sector * sectorBytes, (sector + 1) * sectorBytes)))
      this.#versions.set(sector, versions)
    }
    for (const page of pagesOf({ offset, length: bytes.length })) {
      this.#dirty.add(page)
      for (const pages of this.#syncs.values()) pages.delete(page)
    }
  }

  #synced(step) {
    this.#settle(this.#syncs.get(step))
    this.#syncs.delete(step)
  }

  #failed(step) {
    for (const page of this.#syncs.get(step)) this.#dirty.delete(page)
    this.#syncs.delete(step)
  }

  #settle(pages) {
    this.#disk = grown(this.#disk, this.#cacheSize)
    for (const page of pages) {
      this.#cache.copy(this.#disk, page * pageBytes, page * pageBytes, (page + 1) * pageBytes)
      for (let each = 0; each < sectorsInPage; each += 1) this.#versions.delete(page * sectorsInPage + each)
      this.#dirty.delete(page)
    }
    this.#diskSize = this.#cacheSize
  }

  /**
   * What is left of the file; undefined: not even its name. How much of what is open goes one way is drawn first, so that
   * images range from nothing written to all of it but a sector. `keepsName`: the folder has been written back, by chance.
   */
  image(random, { keepsName = false } = {}) {
    if (!this.#hasName || (!this.#isNameSynced && !keepsName && random.chance(0.5))) return undefined
    const share = random.pick([0, 0.02, 0.1, 0.5, 0.9, 0.98, 1])
    const isByPage = random.chance(0.5)
    const image = Buffer.from(grown(this.#disk, this.#cacheSize).subarray(0, this.#cacheSize))
    let size = this.#diskSize
    const fates = new Map()
    for (const [sector, versions] of this.#versions) {
      const of = isByPage ? Math.floor(sector / sectorsInPage) : sector
      if (!fates.has(of)) fates.set(of, random.chance(share))
      if (!fates.get(of)) continue
      const version = isByPage ? versions.at(-1) : random.pick(versions)
      version.copy(image, sector * sectorBytes)
      size = Math.max(size, Math.min((sector + 1) * sectorBytes, this.#cacheSize))
    }
    // The file's length is written with the first page behind the old end, or with none.
    return image.subarray(0, random.pick([size, this.#cacheSize]))
  }
}

function pagesOf({ offset, length }) {
  const pages = []
  for (let page = Math.floor(offset / pageBytes); page * pageBytes < offset + length; page += 1) pages.push(page)
  return pages
}

function grown(buffer, size) {
  const whole = Math.ceil(size / pageBytes) * pageBytes
  if (buffer.length >= whole) return buffer
  const into = Buffer.alloc(Math.max(whole, buffer.length * 2))
  buffer.copy(into)
  return into
}
