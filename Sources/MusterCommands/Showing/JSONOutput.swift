import Documents

/// A document for scripts, in the form of all our files, with the version of its format.
///
/// - Parameter version: raise it when a member goes or changes its meaning, not when one is added. A document that carries a
///   version of its own, as a run report does, prints that one.
func json(_ document: some Encodable, version: Int = 1) throws -> String {
    String(
        decoding: try SnakeCaseJSON.encode(Versioned(document: document, version: version)).dropLast(), as: UTF8.self)
}

/// The same for a list of documents. A list has no room for a version, so each document in it carries one.
func json(_ documents: [some Encodable], version: Int = 1) throws -> String {
    let documents = documents.map { Versioned(document: $0, version: version) }
    return String(decoding: try SnakeCaseJSON.encode(documents).dropLast(), as: UTF8.self)
}

/// Sentences for people, which no script takes apart: a list without a version.
func json(sentences: [String]) throws -> String {
    String(decoding: try SnakeCaseJSON.encode(sentences).dropLast(), as: UTF8.self)
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
