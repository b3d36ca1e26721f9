import DumpCore
import Processes

extension DumpError {
    /// A line that the protocol does not allow.
    init(protocolFault fault: EventFault, _ line: String, of call: PluginCall) {
        self.init(
            .pluginProtocol, "plugin '\(call.plugin.name)' does not keep to the protocol: \(fault.reason)",
            hint:
                "This is a fault of the plugin: report it to its authors. What else the program prints belongs on standard error.",
            context: ["verb": call.verb.rawValue, "line": String(line.prefix(300)).onOneLine])
    }

    /// An end with a bad status, without a word of why.
    init(failed call: PluginCall, _ outcome: ProgramOutcome) {
        let name = "plugin '\(call.plugin.name)'"
        switch outcome.status {
        case Program.leftProcess where outcome.lastErrors.contains("left process"):
            self.init(
                .incompleteDump, "\(name) ended while a process that it had started went on",
                hint: "The process was ended. This is a fault of the plugin: it must wait for all that it starts.")
        default:
            if let user = call.user, outcome.lastErrors.hasPrefix("muster: cannot run "),
                outcome.lastErrors.hasSuffix(": Permission denied")
            {
                self.init(
                    .pluginUnsuitable, "user '\(user)', whom run_as names, may not run \(call.plugin.program)",
                    hint: """
                        Let that user read the plugin and pass every directory above it: chmod -R o+rX \
                        \(call.plugin.directory.string.asShellWord)
                        """)
                break
            }
            self.init(
                .programFailed, "\(name) \(outcome.status) in \(call.verb.rawValue)",
                hint: outcome.lastErrors.isEmpty
                    ? "It printed nothing: look into \(call.plugin.program)."
                    : "Its last lines say why.")
        }
        note(outcome)
    }

    /// A good status, and nothing to show for it.
    init(silent call: PluginCall, _ outcome: ProgramOutcome) {
        self.init(
            .incompleteDump,
            "plugin '\(call.plugin.name)' ended with status 0 and never said that its \(call.verb.rawValue) is complete",
            hint: DumpError.faultOfPlugin)
        note(outcome)
    }

    /// A good end, and a word that it never read: `go`, or that a change is on record.
    init(deaf call: PluginCall) {
        self.init(
            .pluginProtocol,
            "plugin '\(call.plugin.name)' went on without waiting for 'go' or 'recorded'",
            hint: Self.faultOfPlugin)
    }

    /// What the plugin said of it, with what its program printed.
    func of(_ call: PluginCall, _ outcome: ProgramOutcome) -> DumpError {
        var error = self
        error.context["plugin"] = call.plugin.name
        error.note(outcome)
        return error
    }

    /// The program did not come to its end in time.
    ///
    /// - Parameter isFixed: no setting changes the limit.
    func ofWaiting(for plugin: Plugin, _ tail: PluginLog, isFixed: Bool = false) -> DumpError {
        guard code == .deadline else { return self }
        var error = self
        let finding = "find out what plugin '\(plugin.name)' waits for: run it with -vv"
        error.hint = isFixed ? "F\(finding.dropFirst()). This limit is fixed." : "Raise 'deadline:', or \(finding)."
        error.context["plugin"] = plugin.name
        if !tail.text.isEmpty { error.context["stderr"] = tail.text }
        return error
    }

    /// A change that its plugin could not undo.
    func ofUndoing(_ change: PluginChange) -> DumpError {
        var error = self
        error.message = "plugin '\(change.plugin)' could not undo its change '\(change.said.kind)': \(message)"
        error.context["change"] = change.said.id
        error.hint = [hint, "The change is still there, and on record: muster undo tries again."].compactMap(\.self)
            .joined(separator: " ")
        return error
    }

    /// The same with what could not be undone besides.
    func leaving(_ left: DumpError?) -> DumpError {
        guard let left else { return self }
        var error = self
        error.context["not_undone"] = left.message
        error.hint = [hint, "A change is still there, and on record: muster undo tries again."].compactMap(\.self)
            .joined(separator: " ")
        return error
    }

    private mutating func note(_ outcome: ProgramOutcome) {
        if !outcome.lastErrors.isEmpty { context["stderr"] = outcome.lastErrors }
    }
}
