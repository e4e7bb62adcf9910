import type { Problem } from './check.js'

export type Language = 'en' | 'zh'

type Rule = (params: Problem['params']) => string

const english: Readonly<Record<string, Rule>> = {
  required: () => 'is missing',
  unknown: (p) => `is not known here${known(p, '; known are ', ', ')}`,
  type: (p) => `must be ${article(list(p['type'], ' or '))}`,
  enum: (p) => `must be one of ${list(p['allowedValues'], ', ')}`,
  const: (p) => `must be ${String(p['allowedValue'])}`,
  minimum: (p) => `must be at least ${String(p['limit'])}`,
  maximum: (p) => `must be at most ${String(p['limit'])}`,
  minLength: (p) => `must have at least ${String(p['limit'])} characters`,
  maxLength: (p) => `must have at most ${String(p['limit'])} characters`,
  minItems: (p) => `must have at least ${String(p['limit'])} items`,
  maxItems: (p) => `must have at most ${String(p['limit'])} items`,
  pattern: () => 'has the wrong form',
}

const chinese: Readonly<Record<string, Rule>> = {
  required: () => '缺少必填字段',
  unknown: (p) => `是未知字段${known(p, '，可用字段：', '、')}`,
  type: (p) => `类型应为 ${list(p['type'], ' 或 ')}`,
  enum: (p) => `应为以下值之一：${list(p['allowedValues'], '、')}`,
  const: (p) => `应为 ${String(p['allowedValue'])}`,
  minimum: (p) => `不能小于 ${String(p['limit'])}`,
  maximum: (p) => `不能大于 ${String(p['limit'])}`,
  minLength: (p) => `长度不能少于 ${String(p['limit'])} 个字符`,
  maxLength: (p) => `长度不能超过 ${String(p['limit'])} 个字符`,
  minItems: (p) => `至少需要 ${String(p['limit'])} 项`,
  maxItems: (p) => `最多允许 ${String(p['limit'])} 项`,
  pattern: () => '格式不正确',
}

/** One problem in one line, naming its path. `root` is what the value itself is called. */
export function problemText(problem: Problem, language: Language, root: string): string {
  const rule = (language === 'zh' ? chinese : english)[problem.rule] ?? (language === 'zh' ? () => '不正确' : () => 'is not valid')
  return `${problem.path === '' ? root : problem.path} ${rule(problem.params)}`
}

function known(params: Problem['params'], before: string, between: string): string {
  const keys = params['known']
  return Array.isArray(keys) && keys.length > 0 ? before + keys.join(between) : ''
}

function list(of: unknown, between: string): string {
  return Array.isArray(of) ? of.map(String).join(between) : String(of)
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`
}
