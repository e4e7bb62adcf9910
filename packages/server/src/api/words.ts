import type { ErrorCode } from 'millrace'
import type { Language } from '../config/problem-words.js'

/** What a call says when it went well. */
export const sayings = {
  sent: { en: 'Message sent', zh: '消息发送成功' },
  batchSent: { en: 'Batch handled, see each result', zh: '批量消息处理完成' },
  topicsListed: { en: 'Topics listed', zh: '获取主题列表成功' },
  topicShown: { en: 'Topic shown', zh: '获取主题成功' },
  topicCreated: { en: 'Topic created', zh: '主题创建成功' },
  topicUpdated: { en: 'Topic updated', zh: '主题更新成功' },
  topicDeleted: { en: 'Topic deleted', zh: '主题删除成功' },
  topicPaused: { en: 'Topic paused', zh: '主题已暂停' },
  topicResumed: { en: 'Topic resumed', zh: '主题已恢复' },
  consumersListed: { en: 'Consumers listed', zh: '获取消费者状态成功' },
  monitored: { en: 'Monitoring data read', zh: '获取监控数据成功' },
  retried: { en: 'Dead letters sent again', zh: '重试死信消息成功' },
  deadListed: { en: 'Dead letters listed', zh: '获取死信消息列表成功' },
  deadShown: { en: 'Dead letter shown', zh: '获取死信消息成功' },
  deadPurged: { en: 'Dead letters purged', zh: '清除死信消息成功' },
  pulled: { en: 'Messages pulled', zh: '拉取消息成功' },
  acked: { en: 'Messages acknowledged', zh: '消息确认成功' },
  nacked: { en: 'Messages handed back', zh: '消息退回成功' },
  extended: { en: 'Leases extended', zh: '租约延长成功' },
  peeked: { en: 'Messages read', zh: '浏览消息成功' },
  heldListed: { en: 'Held messages listed', zh: '获取暂存消息列表成功' },
  heldCancelled: { en: 'Held messages cancelled', zh: '暂存消息已取消' },
  heldReleased: { en: 'Held messages released', zh: '暂存消息已释放' },
  committed: { en: 'Transaction committed', zh: '事务提交成功' },
  rolledBack: { en: 'Transaction rolled back', zh: '事务回滚成功' },
  groupsListed: { en: 'Groups listed', zh: '获取消费者组列表成功' },
  groupCreated: { en: 'Group created', zh: '消费者组创建成功' },
  groupDeleted: { en: 'Group deleted', zh: '消费者组删除成功' },
  groupPaused: { en: 'Group paused', zh: '消费者组已暂停' },
  groupResumed: { en: 'Group resumed', zh: '消费者组已恢复' },
  positionsListed: { en: 'Positions listed', zh: '获取消费位置成功' },
  sought: { en: 'Group moved', zh: '消费位置已重置' },
  healthy: { en: 'Healthy', zh: '服务正常' },
  ready: { en: 'Ready', zh: '服务就绪' },
} as const satisfies Record<string, Readonly<Record<Language, string>>>

export type Saying = keyof typeof sayings

const errorsInChinese: Readonly<Record<ErrorCode, string>> = {
  INVALID: '请求参数错误',
  UNSUPPORTED: '当前引擎不支持该操作',
  SCHEMA: '消息内容不符合主题的约定',
  CODEC: '消息内容无法解码',
  UNAUTHENTICATED: '认证失败',
  FORBIDDEN: '权限不足',
  UNKNOWN_TOPIC: '主题不存在',
  UNKNOWN_GROUP: '消费者组不存在',
  UNKNOWN_HOLD: '暂存消息不存在',
  TOPIC_EXISTS: '主题已存在',
  HELD_ALREADY: '同一消息已在等待中',
  LAPSED: '租约已失效',
  TOO_LARGE: '请求或消息过大',
  FULL: '队列已满，请稍后重试',
  ABORTED: '请求已中止',
  CONFIG: '服务器配置错误',
  ENGINE_FAILED: '存储引擎错误',
  POISON: '消息多次处理失败',
  STORE_DAMAGED: '存储已损坏',
  STORE_LOST: '存储内容已丢失',
  STORE_FOREIGN: '存储格式无法识别',
  UNKNOWN_OUTCOME: '结果未知，消息可能已保存',
  CLOSED: '服务正在关闭',
  NOT_OPEN: '服务尚未就绪',
  STORE_BUSY: '存储繁忙，请稍后重试',
  STORE_FULL: '存储空间不足',
  TIMEOUT: '处理超时，请稍后重试',
}

/** An error in one line. In Chinese the kind of error comes first, then the library's own words, which are English. */
export function errorText(code: ErrorCode, detail: string, language: Language): string {
  return language === 'zh' ? `${errorsInChinese[code]}：${detail}` : detail
}

/** The language that an `accept-language` header wants most of those there are. */
export function languageOf(header: string | undefined): Language {
  if (header === undefined) return 'en'
  const wanted = header
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.split(';').map((each) => each.trim().toLowerCase())
      const quality = parameters.find((each) => each.startsWith('q='))
      return { tag, quality: quality === undefined ? 1 : Number(quality.slice(2)) || 0 }
    })
    .filter(({ tag, quality }) => quality > 0 && /^(zh|en)(-|$)/.test(tag))
    .sort((one, other) => other.quality - one.quality)
  return wanted[0]?.tag.startsWith('zh') ? 'zh' : 'en'
}
