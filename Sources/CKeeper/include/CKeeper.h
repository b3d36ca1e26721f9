// What Muster and muster-keeper say to each other: the command lines of both halves, and the messages of the one that freezes. Both sides
// include it, so that neither of them can take a word for another.
#ifndef CKEEPER_H
#define CKEEPER_H

/// The first word of a command line that has an application held frozen. Any other runs a program.
#define KEEPER_FREEZE "freeze"

// Options of both.

/// The process that the keeper works for.
#define KEEPER_PARENT "--parent"

// Options of a keeper that runs a program.

/// The user to become, with its groups, HOME, USER and LOGNAME.
#define KEEPER_AS "--as"
/// The directory that the program has, as a user of this number, apart from the host's network, data and sockets: isolation.c.
#define KEEPER_ISOLATE "--isolate"
/// Where the program finds that directory.
#define KEEPER_ROOM_PATH "/drill"
/// Opened before the user changes, and handed on as descriptor 3.
#define KEEPER_DIRECTORY "--directory"
/// The same as the working directory in place of a descriptor.
#define KEEPER_WITHIN "--within"
/// How a secret is handed on, and the variable that says where it is. There may be several, in the order in which descriptor 3 of the keeper has
/// them: each with its length before it, four bytes, the lowest first. The program has them as descriptors 10 and on.
#define KEEPER_SECRET "--secret"
#define KEEPER_SECRET_AS_PATH "path"
#define KEEPER_SECRET_AS_DESCRIPTOR "descriptor"
enum { KEEPER_MOST_SECRETS = 64, KEEPER_FIRST_SECRET = 10 };
/// The program must leave no process behind when it ends with status 0.
#define KEEPER_ALONE "--alone"
/// The status of one that did. Standard error says which process it was.
enum { KEEPER_LEFT_PROCESS = 126 };
/// Between SIGTERM and SIGKILL, in milliseconds.
#define KEEPER_GRACE "--grace"

// Options of a keeper that freezes.

/// How long the application may be frozen, in milliseconds.
#define KEEPER_FREEZE_FOR "--freeze-for"
/// How many words the command that freezes has; the one that thaws follows it.
#define KEEPER_FREEZE_WORDS "--freeze-words"
/// The file that only the process holds that freezes or thaws the application.
#define KEEPER_LOCK "--lock"

/// The only message of Muster: all is taken. The end of the socket says that Muster has ended.
enum { freeze_request_thaw = 't' };

/// A message to Muster begins with one of these and four bytes of a number. What the command has written to its standard error may follow.
enum freeze_report {
    /// The number is its wait status.
    freeze_report_command_ended = 'e',
    /// It was killed.
    freeze_report_command_too_long = 'd',
    /// Its command cannot be killed, and may freeze after every thaw. The number is its process's.
    freeze_report_goes_on = 'w',
    /// Muster, or another process, wanted the keeper to end.
    freeze_report_stopped = 's',
    /// By another freeze of the job, for too long.
    freeze_report_lock_held = 'l',
    /// The number is errno.
    freeze_report_no_lock = 'n',
};

/// The exit status, which says what the freeze was worth.
enum freeze_outcome {
    freeze_outcome_held = 0,
    freeze_outcome_time_was_up = 10,
    freeze_outcome_ended_early = 11,
    freeze_outcome_not_thawed = 12,
    freeze_outcome_session_ended = 13,
};

#endif
