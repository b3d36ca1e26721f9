import DumpCore

/// Text with places such as `{job}`, each for a fact that a notice has. Other braces are text.
public struct NoticeTemplate: Sendable, Equatable {
    public enum Field: String, Sendable, CaseIterable {
        case job, host, command, event, topic, subject, text, outcome
        case runID = "run_id"
        case startedAt = "started_at"
        case endedAt = "ended_at"
        case exitStatus = "exit_status"
        case errorCode = "error.code"
        case errorMessage = "error.message"
        case errorHint = "error.hint"
    }

    /// As the job file has it.
    public let text: String

    public init(_ text: String) { self.text = text }

    /// Names in braces that are no fields.
    public var unknownNames: [String] {
        text.matches(of: Self.place).map { String($0.output.1) }.filter { Field(rawValue: $0) == nil }
    }

    /// - Parameter value: of a field, made fit for where it goes.
    public func filled(_ value: (Field) -> String) -> String {
        text.replacing(Self.place) { match in
            Field(rawValue: String(match.output.1)).map(value) ?? String(match.output.0)
        }
    }

    private static var place: Regex<(Substring, Substring)> { /\{([a-z_]+(?:\.[a-z_]+)?)\}/ }
}

/// How a body is written, which says how text is made fit for it.
public enum NoticeBodyForm: Sendable {
    case json, form, plain

    /// - Parameter contentType: nil is JSON.
    public init(contentType: String?) {
        let type = contentType?.lowercased() ?? "json"
        self = type.contains("json") ? .json : type.contains("x-www-form-urlencoded") ? .form : .plain
    }

    /// Text as it stands within a string of JSON, in a value of a form, or by itself.
    public func escaped(_ text: String) -> String {
        switch self {
        case .json: text.utf8.reduce(into: [UInt8]()) { $0 += Self.jsonBytes(of: $1) }.asText
        case .form: text.utf8.reduce(into: [UInt8]()) { $0 += Self.formBytes(of: $1) }.asText
        case .plain: text.legible
        }
    }

    /// Bytes of characters beyond ASCII stay as they are.
    private static func jsonBytes(of byte: UInt8) -> [UInt8] {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): [UInt8(ascii: "\\"), byte]
        case UInt8(ascii: "\n"): Array(#"\n"#.utf8)
        case 0..<0x20, 0x7F: Array((#"\u"# + UInt16(byte).digits(4, radix: 16)).utf8)
        default: [byte]
        }
    }

    private static func formBytes(of byte: UInt8) -> [UInt8] {
        let scalar = Unicode.Scalar(byte)
        let isPlain = byte < 0x80 && (scalar.properties.isAlphabetic || (0x30...0x39).contains(byte))
        return isPlain || "-._~".utf8.contains(byte)
            ? [byte] : [UInt8(ascii: "%")] + Array(byte.digits(2, radix: 16, uppercase: true).utf8)
    }
}

extension [UInt8] {
    fileprivate var asText: String { String(decoding: self, as: UTF8.self) }
}
