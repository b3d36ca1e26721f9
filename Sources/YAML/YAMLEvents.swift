import CLibYAML
import Settings

/// What libyaml's parser says next: YAML without any meaning, each event with its place.
struct YAMLEvent {
    enum Kind {
        case streamStart, streamEnd, documentStart, documentEnd
        case scalar(String, isQuoted: Bool)
        case alias(String)
        case sequenceStart, sequenceEnd, mappingStart, mappingEnd
    }

    var kind: Kind
    var mark: Mark
    /// In brackets or braces, not by indentation.
    var isFlow = false
    var anchor: String?
    var tag: String?
}

/// The events of one text, in order. Reads YAML 1.1 as libyaml does, and thereby JSON.
final class YAMLEvents {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>

    /// - Parameter text: without a byte order mark and without characters that YAML forbids.
    init(_ text: String) {
        // Both stay where they are while libyaml works: the parser holds a pointer to itself.
        parser = .allocate(capacity: 1)
        input = .allocate(capacity: text.utf8.count)
        _ = input.initialize(from: text.utf8)
        // Fails only when memory is out.
        precondition(yaml_parser_initialize(parser) == 1)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
        input.deallocate()
    }

    func next() throws(YAMLProblem) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw problem() }
        defer { yaml_event_delete(&event) }
        return YAMLEvent(event)
    }

    private func problem() -> YAMLProblem {
        func text(_ pointer: UnsafePointer<CChar>?) -> String? { pointer.map { String(cString: $0) } }
        let state = parser.pointee
        let context = text(state.context)
        return YAMLProblem(
            message: "not valid YAML: \(text(state.problem) ?? "out of memory")", mark: Mark(state.problem_mark),
            context: context,
            contextMark: context == nil ? nil : Mark(state.context_mark))
    }
}

/// Why a text cannot be read on.
struct YAMLProblem: Error {
    var message: String
    var mark: Mark
    /// What it was reading, such as `while parsing a block mapping`, and where that began.
    var context: String?
    var contextMark: Mark?
}

extension YAMLEvent {
    fileprivate init(_ event: yaml_event_t) {
        func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? { pointer.map { String(cString: $0) } }
        mark = Mark(event.start_mark)
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            // By length: a quoted text may hold a NUL.
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            kind = .scalar(String(decoding: bytes, as: UTF8.self), isQuoted: scalar.style != YAML_PLAIN_SCALAR_STYLE)
            (anchor, tag) = (text(scalar.anchor), text(scalar.tag))
        case YAML_ALIAS_EVENT:
            kind = .alias(text(event.data.alias.anchor) ?? "")
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            kind = .sequenceStart
            isFlow = start.style == YAML_FLOW_SEQUENCE_STYLE
            (anchor, tag) = (text(start.anchor), text(start.tag))
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            kind = .mappingStart
            isFlow = start.style == YAML_FLOW_MAPPING_STYLE
            (anchor, tag) = (text(start.anchor), text(start.tag))
        case YAML_SEQUENCE_END_EVENT: kind = .sequenceEnd
        case YAML_MAPPING_END_EVENT: kind = .mappingEnd
        case YAML_STREAM_START_EVENT: kind = .streamStart
        case YAML_DOCUMENT_START_EVENT: kind = .documentStart
        case YAML_DOCUMENT_END_EVENT: kind = .documentEnd
        // Also for "no event", which comes after the end of the stream.
        default: kind = .streamEnd
        }
    }
}

extension Mark {
    fileprivate init(_ mark: yaml_mark_t) { self.init(line: mark.line + 1, column: mark.column + 1) }
}
