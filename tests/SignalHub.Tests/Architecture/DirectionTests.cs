using System.Text.RegularExpressions;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace SignalHub.Tests.Architecture;

/// <summary>
/// Holds the direction table of docs/architecture.md against the compiled assembly: which slice may name which. A slice is the
/// first word of the namespace below SignalHub.
/// </summary>
public sealed partial class DirectionTests
{
    private static readonly string[] _ground = ["Http", "Storage", "Resources", "Telemetry"];

    // Conditions is a leaf language that every slice may speak; the rest is who may know whom.
    private static readonly Dictionary<string, string[]> _allowed = new(StringComparer.Ordinal)
    {
        ["Signals"] = ["SignalTypes", "Leads", "Qualification", "Projects", "Automations", "Webhooks", "Workspaces", "Conditions", .. _ground],
        ["Leads"] = ["Qualification", "Workspaces", "Conditions", .. _ground],
        ["Webhooks"] = ["Conditions", "Workspaces", .. _ground],
        ["Projects"] = ["SignalTypes", "Webhooks", "Conditions", "Workspaces", .. _ground],
        // What a signal sets off: asked by the intake, sent by the webhooks.
        ["Automations"] = ["Webhooks", "Conditions", "Workspaces", .. _ground],
        ["SignalTypes"] = ["Conditions", "Workspaces", .. _ground],
        ["Qualification"] = ["Conditions", "Workspaces", .. _ground],
        ["Workspaces"] = [.. _ground],
        // What needs several slices at once; nothing depends on it.
        ["Operations"] = ["Signals", "SignalTypes", "Leads", "Qualification", "Projects", "Automations", "Webhooks", "Workspaces", "Conditions", "Jobs", .. _ground],
        // The runner; its table is in the database.
        ["Jobs"] = [.. _ground],
        ["Conditions"] = [],
        ["Resources"] = [],
        ["Http"] = ["Telemetry"],
        ["Telemetry"] = [],
        ["Storage"] = ["Telemetry"],
    };

    [Fact]
    public void Every_slice_names_only_what_the_table_allows()
    {
        using var assembly = AssemblyDefinition.ReadAssembly(typeof(Program).Assembly.Location);

        var wrong = Offences(assembly, _allowed);

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void A_direction_that_is_not_in_the_table_is_found()
    {
        using var assembly = AssemblyDefinition.ReadAssembly(typeof(Program).Assembly.Location);
        var narrower = new Dictionary<string, string[]>(_allowed, StringComparer.Ordinal) { ["Signals"] = ["SignalTypes"] };

        Assert.Contains(Offences(assembly, narrower), offence => offence.StartsWith("Signals → Leads", StringComparison.Ordinal));
    }

    [Fact]
    public void Every_slice_is_in_the_table()
    {
        using var assembly = AssemblyDefinition.ReadAssembly(typeof(Program).Assembly.Location);

        var slices = assembly.MainModule.Types.Select(t => SliceOf(t.Namespace)).OfType<string>().Distinct();

        Assert.Empty(slices.Except(_allowed.Keys));
    }

    [Fact]
    public void Only_stores_and_Storage_name_the_database_driver()
    {
        using var assembly = AssemblyDefinition.ReadAssembly(typeof(Program).Assembly.Location);

        var wrong = assembly.MainModule.GetTypes()
            .Where(t => SliceOf(t.Namespace) is { } slice && slice != "Storage" && !OuterName(t).EndsWith("Store", StringComparison.Ordinal))
            .Where(t => Names(t).Any(n => n.Namespace.StartsWith("Npgsql", StringComparison.Ordinal) || n.Namespace.StartsWith("Microsoft.EntityFrameworkCore", StringComparison.Ordinal)))
            // They carry a connection from one store to another, and call no method of it.
            .Where(t => !CallsNothingOfTheDriver(t))
            .Select(t => t.FullName).ToList();

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void Only_routes_Http_and_the_key_authentication_name_HttpContext()
    {
        using var assembly = AssemblyDefinition.ReadAssembly(typeof(Program).Assembly.Location);

        var wrong = assembly.MainModule.GetTypes()
            .Where(t => SliceOf(t.Namespace) is { } slice && slice != "Http")
            .Where(t => !MayNameHttp().IsMatch(OuterName(t)))
            .Where(t => Names(t).Any(n => n.FullName is "Microsoft.AspNetCore.Http.HttpContext" or "Microsoft.AspNetCore.Http.IResult"))
            .Select(t => t.FullName).ToList();

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [GeneratedRegex("Api$|Authentication|^Caller$|^KeyReader|^PresentedKey|Answer$|Headers$|^AccessExtensions$")]
    private static partial Regex MayNameHttp();

    private static bool CallsNothingOfTheDriver(TypeDefinition type) => !type.Methods.Where(m => m.HasBody)
        .SelectMany(m => m.Body.Instructions).Any(i => i.Operand is MethodReference m && m.DeclaringType.Namespace.StartsWith("Npgsql", StringComparison.Ordinal)
            && m.Name is not "DisposeAsync" and not "Dispose");

    private static List<string> Offences(AssemblyDefinition assembly, Dictionary<string, string[]> allowed)
    {
        var offences = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var type in assembly.MainModule.GetTypes())
        {
            if (SliceOf(type.Namespace is "" ? OuterNamespace(type) : type.Namespace) is not { } slice || !allowed.TryGetValue(slice, out var targets))
            {
                continue;
            }
            foreach (var named in Names(type).Select(n => SliceOf(n.Namespace is "" ? OuterNamespace(n) : n.Namespace)).OfType<string>().Distinct())
            {
                if (named != slice && !targets.Contains(named))
                {
                    offences.Add($"{slice} → {named}: {type.FullName}");
                }
            }
        }
        return [.. offences];
    }

    /// <summary>Every type that a type mentions: bases, members, locals, what its code calls and makes.</summary>
    private static IEnumerable<TypeReference> Names(TypeDefinition type)
    {
        var names = new List<TypeReference?> { type.BaseType };
        names.AddRange(type.Interfaces.Select(i => i.InterfaceType));
        names.AddRange(type.Fields.Select(f => f.FieldType));
        foreach (var method in type.Methods)
        {
            names.Add(method.ReturnType);
            names.AddRange(method.Parameters.Select(p => p.ParameterType));
            if (!method.HasBody)
            {
                continue;
            }
            names.AddRange(method.Body.Variables.Select(v => v.VariableType));
            foreach (Instruction instruction in method.Body.Instructions)
            {
                names.AddRange(instruction.Operand switch
                {
                    TypeReference t => [t],
                    MethodReference m => [m.DeclaringType, m.ReturnType],
                    FieldReference f => [f.DeclaringType, f.FieldType],
                    _ => [],
                });
            }
        }
        return names.OfType<TypeReference>().SelectMany(Unwrap);
    }

    private static IEnumerable<TypeReference> Unwrap(TypeReference type) => type switch
    {
        GenericInstanceType generic => [generic.ElementType, .. generic.GenericArguments.SelectMany(Unwrap)],
        TypeSpecification wrapped => Unwrap(wrapped.ElementType),
        _ => [type],
    };

    private static string OuterName(TypeDefinition type) => type.DeclaringType is { } outer ? OuterName(outer) : type.Name.Split('`')[0];

    private static string OuterNamespace(TypeReference type) => type.DeclaringType is { } outer ? OuterNamespace(outer) : type.Namespace;

    private static string? SliceOf(string ns) => ns.StartsWith("SignalHub.", StringComparison.Ordinal) ? ns.Split('.')[1] : null;
}
