import CKeeper
import SystemPackage

/// How a program is kept apart that may do anything, such as a server that runs what a dump brings along.
///
/// It has no network, not even to this host. Of files it sees the system's own and its room, and no other data, home or socket. It is a user
/// of a number that no account need have. Only root can do this, with CAP_SYS_ADMIN, where namespaces are allowed; if not, the program
/// is not started, and ends with `Isolation.refusal`.
public struct Isolation: Sendable, Hashable {
    /// The one directory that it may write to. It must belong to `user`.
    public var room: FilePath
    /// Not root's, and its group's too.
    public var user: UInt32

    public init(room: FilePath, user: UInt32) { (self.room, self.user) = (room, user) }

    /// Where the program finds its room.
    public static let roomPath: FilePath = FilePath(KEEPER_ROOM_PATH)
    /// How it ends when it could not be isolated, or is not there. Its standard error says why.
    public static let refusal = ProgramOutcome.Status.exited(127)
}
