/// Holds an application still while all sources of a job are frozen, so that what they hold belongs together.
public protocol Quiescence: Sendable {
    /// Throws when it could not work. Changes nothing.
    func examine() async throws(DumpError)

    /// Returns once the application stands still. After a throw there is nothing to end.
    func begin(in run: RunContext) async throws(DumpError)

    /// Lets the application go on. Throws also when it may have gone on before: then what was frozen need not belong together.
    func end() async throws(DumpError)

    /// Undoes what a run that died has left.
    func undo(_ record: UndoRecord, in run: RunContext) async throws(DumpError)
}

extension UndoRecord {
    /// What stands for a dump's name in a record of the job's own. No dump can be called so.
    public static let job = "(job)"
}
