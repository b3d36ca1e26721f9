import Documents

/// A document for scripts, in the form of all our files, with the version of its format.
///
/// - Parameter version: raise it when a member goes or changes its meaning, not when one is added. A document that carries a
///   version of its own, as a run report does, prints that one.
func json(_ document: some Encodable, version: Int = 1) throws -> String {
    String(
        decoding: try SnakeCaseJSON.encode(Versioned(document: document, version: version)).dropLast(), as: UTF8.self)
}

/// Several of a kind, in an object that has them under one key. Until version 1 that was a list without the object.
func json(_ elements: [some Encodable], as key: String) throws -> String {
    try json([key: elements], version: 2)
}

/// A document on one line, without its end.
func jsonLine(_ document: some Encodable, version: Int = 1) throws -> String {
    try SnakeCaseJSON.line(Versioned(document: document, version: version))
}

/// A document that is an object, and its version as one more member.
private struct Versioned<Document: Encodable>: Encodable {
    private enum Key: CodingKey { case formatVersion }

    var document: Document
    var version: Int

    func encode(to encoder: any Encoder) throws {
        // Before the document's own members: the last to write a member wins.
        var members = encoder.container(keyedBy: Key.self)
        try members.encode(version, forKey: .formatVersion)
        try document.encode(to: encoder)
    }
}
