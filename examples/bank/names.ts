import { uniformInt } from 'pure-rand/distribution/uniformInt'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'

interface Country {
  readonly code: string
  readonly given: readonly string[]
  readonly family: readonly string[]
  /** Whether the family name comes first, and what stands between the names. */
  readonly familyFirst?: true
  readonly separator?: string
}

const words = (text: string) => text.split(' ')

const countries: readonly Country[] = [
  {
    code: 'BR',
    given: words('João Beatriz Thiago Conceição Luíza'),
    family: words('Araújo Gonçalves Simões Magalhães'),
  },
  {
    code: 'CN',
    given: words('伟 秀英 子涵 建国 雨桐'),
    family: words('王 李 欧阳 张 陈'),
    familyFirst: true,
    separator: '',
  },
  { code: 'CZ', given: words('Jiří Božena Ondřej Žofie Matěj'), family: words('Dvořák Růžička Beneš Kučera') },
  { code: 'DE', given: words('Jürgen Käthe Björn Ulrike Sören'), family: words('Müller Groß Schäfer Weiß Krüger') },
  { code: 'ES', given: words('Íñigo Begoña Álvaro Nuria Ramón'), family: words('Muñoz Ibáñez Peña Echevarría') },
  { code: 'FR', given: words('Zoé Gaël Héloïse Benoît Noël'), family: words('Lefèvre Besançon Garçon Château') },
  {
    code: 'GB',
    given: words('Olivia Mohammed Siân Harry Priya'),
    family: words('Smith Khan O’Connor Featherstonehaugh'),
  },
  { code: 'GR', given: words('Ελένη Γιώργος Αθηνά Νίκος'), family: words('Παπαδόπουλος Γεωργίου Δημητρίου') },
  { code: 'HU', given: words('Ágnes Győző Kálmán Tünde'), family: words('Szőke Kovács Tóth Nagy'), familyFirst: true },
  { code: 'IN', given: words('Aarav Lakshmi Rohan Ananya Vikram'), family: words('Iyer Chatterjee Patel Subramaniam') },
  { code: 'IS', given: words('Þórdís Sigríður Björk Guðmundur'), family: words('Jónsdóttir Þorsteinsson Ægisson') },
  { code: 'JP', given: words('花子 太郎 さくら 健一 結衣'), family: words('山田 佐藤 渡邉 小鳥遊'), familyFirst: true },
  { code: 'KR', given: words('민준 서연 지우 하은'), family: words('김 이 박 남궁'), familyFirst: true, separator: '' },
  { code: 'MA', given: words('Layla Omar Yasmine Karim'), family: words('Benali El-Fassi Haddad Ziani') },
  { code: 'NG', given: words('Chukwuemeka Adébáyọ̀ Ngozi Yetunde'), family: words('Okonkwo Ọláwálé Eze Adeyemi') },
  { code: 'NO', given: words('Øystein Åse Håkon Astrid'), family: words('Ødegård Bjørnstad Dahl Næss') },
  { code: 'PL', given: words('Łukasz Małgorzata Grażyna Święcisław'), family: words('Wójcik Dąbrowska Źrebiec') },
  { code: 'TR', given: words('Ayşe İbrahim Gülşen Çağlar'), family: words('Yıldız Öztürk Şahin Doğan') },
  { code: 'UA', given: words('Олександр Оксана Юрій Соломія'), family: words('Шевченко Ґалаґан Ющук') },
  { code: 'VN', given: words('Hương Đức Thuỷ Quỳnh'), family: words('Nguyễn Trần Phạm Đặng'), familyFirst: true },
]

export interface Person {
  readonly country: string
  readonly name: string
}

export function randomPerson(random: RandomGenerator): Person {
  const { code, given, family, familyFirst, separator = ' ' } = pick(random, countries)
  const names = [pick(random, given), pick(random, family)]
  return { country: code, name: (familyFirst ? names.reverse() : names).join(separator) }
}

function pick<Item>(random: RandomGenerator, items: readonly Item[]): Item {
  const item = items[uniformInt(random, 0, items.length - 1)]
  if (item === undefined) throw new RangeError('nothing to pick from')
  return item
}
