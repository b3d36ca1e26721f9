import CLinux

/// The files that the kernel leaves of a process that crashes: a copy of its memory, with every secret in it.
public enum CoreFiles {
    /// None of this process, however it ends, and none of the programs that inherit the limit.
    public static func forbid() {
        ResourceLimit.coreFiles.forbid()
        clinux_forbid_looking_inside()
    }
}
