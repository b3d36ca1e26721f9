import Glibc
import Processes

Keeper.takeOverIfAsked(Array(CommandLine.arguments.dropFirst()))
