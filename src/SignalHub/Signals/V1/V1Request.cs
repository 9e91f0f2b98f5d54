using System.Text.Json;
using SignalHub.Http;
using SignalHub.Leads.Identity;

namespace SignalHub.Signals.V1;

/// <summary>
/// A signal in the dialect of <c>POST /v1/signals</c>, read as leniently as the other one: account and contact are parts of one
/// identity, properties are the context.
/// </summary>
public static class V1Request
{
    /// <summary>Reads an object that has passed <see cref="JsonGate"/>.</summary>
    public static SignalRequest Read(JsonElement body, DateTimeOffset receivedAt)
    {
        var request = new SignalRequest { ReceivedAt = receivedAt, IsFreeForm = true, OwnData = "properties" };
        var identity = NoIdentity();
        foreach (var member in body.EnumerateObject())
        {
            switch (member.Name)
            {
                case "account" or "contact":
                    ReadPart(request, identity, member.Name, member.Value);
                    break;
                case var name when V1Names.ToOurs($"/{JsonGate.Escape(name)}") is { } ours:
                    request.ReadMember(ours[1..], member.Value);
                    break;
                default:
                    request.Unknown($"/{JsonGate.Escape(member.Name)}");
                    break;
            }
        }
        if (identity != NoIdentity())
        {
            request.SetIdentity(identity);
        }
        return request;
    }

    private static IdentityInput NoIdentity() => new() { FindsCompanyByName = true };

    private static void ReadPart(SignalRequest request, IdentityInput identity, string part, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            if (!SignalRequest.IsAbsent(value))
            {
                request.WrongType($"/{part}", "an object");
            }
            return;
        }
        foreach (var member in value.EnumerateObject())
        {
            var pointer = $"/{part}/{JsonGate.Escape(member.Name)}";
            if (V1Names.ToOurs(pointer) is not { } ours || !request.TryReadIdentityMember(identity, ours[(ours.LastIndexOf('/') + 1)..], member.Value))
            {
                request.Unknown(pointer);
            }
        }
    }
}
