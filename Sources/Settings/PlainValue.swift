/// Data as a job file or a JSON document holds it. Mappings keep their order.
public enum PlainValue: Sendable, Hashable {
    case null
    case boolean(Bool)
    case integer(Int64)
    case text(String)
    case list([PlainValue])
    case mapping([Member])

    public struct Member: Sendable, Hashable {
        public var key: String
        public var value: PlainValue

        public init(_ key: String, _ value: PlainValue) {
            self.key = key
            self.value = value
        }
    }

    /// The value of a key, or nil if this has no such key. Setting replaces it, or adds it at the end; nil removes it.
    public subscript(key: String) -> PlainValue? {
        get { members.first { $0.key == key }?.value }
        set {
            var members = members
            let place = members.firstIndex { $0.key == key }
            switch (place, newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): members.remove(at: place)
            case (nil, let value?): members.append(Member(key, value))
            case (nil, nil): return
            }
            self = .mapping(members)
        }
    }

    /// A mapping with the members of both; where both have a key, `other` counts.
    public func merging(_ other: PlainValue) -> PlainValue {
        other.members.reduce(into: self) { $0[$1.key] = $1.value }
    }

    /// The members of a mapping; anything else has none.
    public var members: [Member] {
        guard case .mapping(let members) = self else { return [] }
        return members
    }
}

extension PlainValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral text: String) { self = .text(text) }
    public init(integerLiteral number: Int64) { self = .integer(number) }
    public init(booleanLiteral flag: Bool) { self = .boolean(flag) }
    public init(arrayLiteral elements: PlainValue...) { self = .list(elements) }
    public init(dictionaryLiteral members: (String, PlainValue)...) { self = .mapping(members.map { Member($0, $1) }) }
}
