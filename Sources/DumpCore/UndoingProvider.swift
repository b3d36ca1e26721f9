/// A provider that changes something outside of the directory it fills, such as a standby that it pauses.
///
/// Each such change is in the undo journal before it happens, so that another run can undo it when this one dies.
public protocol UndoingProvider: Provider {
    /// The kinds of records that say all that their undoing needs, so that the provider of any dump can do it.
    var kindsUndoneByAnyDump: Set<String> { get }

    /// Undoes what a run that died has left, as far as it is still there. May be called again. What it throws keeps the record.
    func undo(_ record: UndoRecord, in run: RunContext) async throws(DumpError)
}

extension UndoingProvider {
    public var kindsUndoneByAnyDump: Set<String> { [] }
}

/// A provider whose source Borg may read in place (`FrozenSource.isReadInPlace`).
public protocol InPlaceProvider: UndoingProvider {
    /// Throws unless what a record tells of is still there, and all that it was: to be called once Borg has read it in place.
    func confirm(_ record: UndoRecord) async throws(DumpError)
}
