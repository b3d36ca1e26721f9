import FoundationEssentials

/// JSON without a type of its own.
public indirect enum JSONTree: Sendable, Decodable, Equatable {
    case null
    case boolean(Bool)
    case number(Double)
    case text(String)
    case list([JSONTree])
    case mapping([String: JSONTree])

    public init(_ text: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(text.utf8)) }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let flag = try? container.decode(Bool.self) {
            self = .boolean(flag)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else if let text = try? container.decode(String.self) {
            self = .text(text)
        } else if let list = try? container.decode([JSONTree].self) {
            self = .list(list)
        } else {
            self = .mapping(try container.decode([String: JSONTree].self))
        }
    }

    public subscript(key: String) -> JSONTree? {
        guard case .mapping(let members) = self else { return nil }
        return members[key]
    }

    public var elements: [JSONTree] {
        guard case .list(let elements) = self else { return [] }
        return elements
    }
}
