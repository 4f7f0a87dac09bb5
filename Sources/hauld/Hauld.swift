import Foundation
import HaulConfig

/// The server: parse, compose, run.
@main struct Hauld {
    static func main() async {
        do {
            switch try Arguments(CommandLine.arguments.dropFirst()) {
            case .help: print(Arguments.helpText)
            case .version: print("hauld \(Arguments.versionText)")
            case .serve(let config): try await Server(ServerConfig.load(config)).run()
            case .addToken(let config, let request):
                print(try await TokenCommand(config: ServerConfig.load(config)).add(request))
            case .listTokens(let config, let user):
                print(try await TokenCommand(config: ServerConfig.load(config)).list(user: user))
            case .user(let config, let request, let changes):
                print(try await UserCommand(config: ServerConfig.load(config)).run(request, changes: changes))
            case .vault(let config, let verb):
                print(try await VaultCommand(config: ServerConfig.load(config)).run(verb))
            case .revokeTokens(let config, let choice):
                print(try await TokenCommand(config: ServerConfig.load(config)).revoke(choice))
            }
        } catch let error as ConfigError {
            // Whoever named no file learns how to.
            let isUnnamed = error.file == Arguments.usualConfig && error.line == nil
            exit(2, "\(error)" + (isUnnamed ? "; --config FILE names another" : ""))
        } catch let error as UsageError {
            exit(2, "\(error.message)\nTry 'hauld --help'.")
        } catch let error as StartError {
            exit(1, error.message)
        } catch {
            exit(1, "\(error)")
        }
    }

    private static func exit(_ code: Int32, _ message: String) -> Never {
        FileHandle.standardError.write(Data("hauld: \(message)\n".utf8))
        Foundation.exit(code)
    }
}
