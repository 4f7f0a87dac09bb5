import Foundation
import HaulCLI

@main struct Main {
    static func main() async {
        exit(await HaulProgram.run(CommandLine.arguments, environment: ProcessInfo.processInfo.environment))
    }
}
