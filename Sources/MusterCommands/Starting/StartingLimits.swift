import Linux

/// Limits under which a run could not even fail in good order. Parts of Swift's runtime end the process if they are refused a file or
/// memory.
enum StartingLimits {
    /// What is too little, for the operator. Nil if there is enough to begin with.
    static var shortage: String? {
        let files = ResourceLimit.openFiles.value
        if files < 64 {
            return "may have only \(files) files open, and needs 64: raise 'ulimit -n', or LimitNOFILE= of the unit"
        }
        for (limit, needed, option) in [(ResourceLimit.addressSpace, 256, "-v"), (.data, 64, "-d")] {
            let mebibytes = limit.value >> 20
            guard mebibytes < needed else { continue }
            return "may use only \(mebibytes) MiB of memory, and needs \(needed): raise 'ulimit \(option)'"
        }
        return nil
    }
}
