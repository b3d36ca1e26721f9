import FoundationEssentials

/// Whether text is one document in JSON, and nothing more.
public func isJSON(_ text: String) -> Bool { (try? JSONDecoder().decode(Anything.self, from: Data(text.utf8))) != nil }

/// Every value of a document, looked at and forgotten: the decoder checks strings and numbers only when it is asked for them.
private struct Anything: Decodable {
    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        if let members = try? decoder.container(keyedBy: Key.self) {
            for key in members.allKeys { _ = try members.decode(Anything.self, forKey: key) }
        } else if var elements = try? decoder.unkeyedContainer() {
            while !elements.isAtEnd { _ = try elements.decode(Anything.self) }
        } else {
            try Self.check(decoder.singleValueContainer())
        }
    }

    private static func check(_ value: any SingleValueDecodingContainer) throws {
        if value.decodeNil() || (try? value.decode(Bool.self)) != nil || (try? value.decode(Double.self)) != nil {
            return
        }
        _ = try value.decode(String.self)
    }
}
