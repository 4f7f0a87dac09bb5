import Foundation
import HaulModel
import HaulWire

extension Verb {
    static let login = Verb(
        name: "login", summary: "get a token for your name and password, and keep it",
        options: [
            .value("user", "NAME", "who you are to the server (else USER)"),
            .number("hours", "N", "for how long it shall be good"),
        ],
        notes: [
            "The password is asked for, or read from stdin where that is no terminal. The token is kept below "
                + "~/.config/haul/logins, for this server alone, and used where no other is given."
        ]
    ) { invocation in
        let (settings, _) = try ServerSettings.find(
            invocation.arguments, invocation.environment, isStranger: true)
        guard let name = invocation.arguments["user"] ?? invocation.environment["USER"], !name.isEmpty else {
            throw CLIError.usage("who are you?", hint: "haul login --user NAME")
        }
        let hours = try invocation.arguments.number("hours", in: 1...87_600)
        let password = try SecretPrompt.ask("Password of \(name): ")
        var document: [String: JSONValue] = ["user": .string(name), "password": .string(password)]
        if let hours { document["duration"] = .int(hours * 3600) }
        let server = try await invocation.stranger()
        let answer = try await server.change("POST", "/login", try ServerConnection.encode(document))
        let token = try ServerConnection.decode(TokenDocument.self, answer)
        try LoginFile(of: settings.base, invocation.environment).keep(token.token ?? "")
        await invocation.errors.line(
            "haul: logged in as \(Printable.line(token.user)) (\(token.role)) until \(token.expires ?? "-")")
        if let other = ServerSettings.overriding(invocation.environment) {
            await invocation.errors.line("haul: \(other) is set, and counts before this login: unset \(other)")
        }
        return .ok
    }

    static let logout = Verb(name: "logout", summary: "end the login of this server") { invocation in
        let (settings, _) = try ServerSettings.find(
            invocation.arguments, invocation.environment, isStranger: true)
        let file = LoginFile(of: settings.base, invocation.environment)
        guard let token = file.token() else {
            throw CLIError(code: .notFound, message: "nobody is logged in at \(settings.base)")
        }
        do {
            _ = try await invocation.stranger(token: token).change("POST", "/logout")
        } catch let error as CLIError where error.code == .notAllowed {
            // It had ended by itself.
        }
        file.forget()
        return .ok
    }

    static let whoami = Verb(name: "whoami", summary: "who you are to the server, and what your token lets you do") {
        invocation in
        let answer = try await invocation.server().get("/whoami")
        if invocation.isJSON {
            await invocation.output.bytes(answer + [0x0A])
            return .ok
        }
        let who = try ServerConnection.decode(WhoDocument.self, answer)
        await Facts.print(
            [
                ("user", who.user), ("role", who.role), ("scopes", who.scopes.joined(separator: ",")),
                ("token", who.token.map(String.init) ?? "-"), ("expires", who.expires ?? "-"),
            ], invocation)
        return .ok
    }
}
