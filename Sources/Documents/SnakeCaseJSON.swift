import DumpCore
import FoundationEssentials

/// JSON as all our files have it: keys in snake case, sorted, on lines of their own, with a final newline.
///
/// Keys of dictionaries stay as they are.
public enum SnakeCaseJSON {
    public static func encode(_ value: some Encodable) throws -> [UInt8] {
        try [UInt8](encoder([.prettyPrinted]).encode(value)).escapingWhatIsObeyed + [UInt8(ascii: "\n")]
    }

    /// The same on one line, without its end.
    public static func line(_ value: some Encodable) throws -> String {
        String(decoding: [UInt8](try encoder([]).encode(value)).escapingWhatIsObeyed, as: UTF8.self)
    }

    private static func encoder(_ formatting: JSONEncoder.OutputFormatting) -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
        return encoder
    }

    public static func decode<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .custom { path in
            Key(stringValue: swiftName(of: path[path.count - 1].stringValue))
        }
        return try decoder.decode(type, from: Data(bytes))
    }

    /// JSON of others, with keys as they are.
    public static func decodePlainly<Value: Decodable>(_ type: Value.Type, from bytes: [UInt8]) throws -> Value {
        try JSONDecoder().decode(type, from: Data(bytes))
    }

    /// `run_id` becomes `runID`: `convertFromSnakeCase` would make it `runId`, which is no property's name.
    private static func swiftName(of key: String) -> String {
        let words = key.split(atASCII: "_")
        return words.prefix(1).joined() + words.dropFirst().map { acronyms[$0] ?? capitalized($0) }.joined()
    }

    private static let acronyms: [Substring: String] = ["id": "ID", "sha256": "SHA256"]

    private static func capitalized(_ word: Substring) -> String { word.prefix(1).uppercased() + word.dropFirst() }

    private struct Key: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

extension [UInt8] {
    /// JSON in which no character is left that a terminal obeys. `JSONEncoder` escapes those below 32 alone.
    fileprivate var escapingWhatIsObeyed: [UInt8] {
        // Most text is ASCII, and has none.
        guard contains(where: { $0 >= 0x7F }) else { return self }
        let text = String(decoding: self, as: UTF8.self)
        // Line ends are JSON's own: in a string they are escaped already.
        let mustEscape = { (scalar: Unicode.Scalar) in scalar.value >= 0x7F && scalar.isObeyed }
        guard text.unicodeScalars.contains(where: mustEscape) else { return self }
        var escaped = ""
        for scalar in text.unicodeScalars {
            guard mustEscape(scalar) else {
                escaped.unicodeScalars.append(scalar)
                continue
            }
            escaped += "\\u" + scalar.value.digits(4, radix: 16)
        }
        return Array(escaped.utf8)
    }
}
