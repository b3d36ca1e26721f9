extension ObjectShape {
    /// The value that a mapping describes, or nil after every mistake in it was reported.
    ///
    /// - Parameter others: further keys that the mapping may have, and that someone else reads.
    public func read(_ node: SettingsNode, besides others: [String] = [], _ diagnostics: inout Diagnostics) -> Value? {
        var value = defaults
        return fill(&value, from: node, besides: others, &diagnostics) ? value : nil
    }

    /// The value as a settings file would hold it, every key included.
    public func write(_ value: Value) -> PlainValue {
        .mapping(fields.map { PlainValue.Member($0.name, $0.write(value)) })
    }

    /// As the shape of a value, to be used within other shapes.
    public var shape: Shape<Value> {
        Shape(schema: schema()) { node, diagnostics in
            read(node, &diagnostics)
        } writer: {
            write($0)
        }
    }

    /// Sets what the mapping sets. False if there was a mistake in it, and what is set means nothing then.
    func fill(
        _ value: inout Value, from node: SettingsNode, besides others: [String] = [], _ diagnostics: inout Diagnostics
    ) -> Bool {
        guard case .mapping(let entries) = node.content else {
            diagnostics.report(mappingExpectedAt: node, known: fields.map(\.name), example: example)
            return false
        }
        let known = others + fields.map(\.name)
        let unknown = entries.filter { !known.contains($0.key) }
        var faulty = Set(unknown.prefix(Self.most).compactMap { report($0, of: node, known: known, &diagnostics) })
        if let further = unknown.dropFirst(Self.most).first {
            let message = "\(unknown.count - Self.most) more unknown keys \(node.path.place)"
            diagnostics.report(Diagnostic(further.keyMark, node.path, message))
        }
        for field in fields {
            // What belongs below it is beside it, which was reported.
            if faulty.contains(field.name), node[field.name]?.isNull == true { continue }
            if let part = node[field.name] {
                if !field.read(part, &value, &diagnostics) { faulty.insert(field.name) }
            } else if field.isRequired, faulty.insert(field.name).inserted {
                let message = "missing key '\(field.name)' \(node.path.place)"
                diagnostics.report(Diagnostic(node.mark, node.path, message, hint: field.help))
            }
        }
        let isSound = check(value, at: node, except: faulty, &diagnostics)
        return unknown.isEmpty && faulty.isEmpty && isSound
    }

    /// So many unknown keys of a mapping are looked at one by one, which takes time.
    private static var most: Int { 100 }

    /// Reports an unknown key, and returns the key that was probably meant. One that is there already was not.
    private func report(
        _ entry: SettingsNode.Entry, of node: SettingsNode, known: [String], _ diagnostics: inout Diagnostics
    ) -> String? {
        if let parent = node.emptyEntry(before: entry), let field = fields.first(where: { $0.name == parent.key }),
            field.schema().schemaKeys.contains(entry.key) || (field.schema().hasNamesAsKeys && entry.value.isMapping)
        {
            diagnostics.report(entry, indentedLike: parent)
            return parent.key
        }
        let near = nearestWord(to: entry.key, among: known.filter { node[$0] == nil })
        diagnostics.report(unknownKey: entry, in: node, near: near, known: known)
        return near
    }

    /// Whether every rule holds whose keys could all be read.
    private func check(
        _ value: Value, at node: SettingsNode, except faulty: Set<String>, _ diagnostics: inout Diagnostics
    ) -> Bool {
        var isSound = true
        for rule in rules where faulty.isDisjoint(with: rule.keys) {
            guard let fault = rule.fault(value) else { continue }
            diagnostics.report(fault, at: rule.keys.lazy.compactMap { node[$0] }.first ?? node)
            isSound = false
        }
        return isSound
    }
}

extension Diagnostics {
    mutating func report(unknownKey entry: SettingsNode.Entry, in node: SettingsNode, near: String?, known: [String]) {
        let message = "unknown key \(quoted(entry.key)) \(node.path.place)"
        report(
            Diagnostic(
                entry.keyMark, node.path, near.map { "\(message); did you mean '\($0)'?" } ?? message,
                hint: near == nil ? "Known here: \(known.joined(separator: ", "))." : nil))
    }
}
