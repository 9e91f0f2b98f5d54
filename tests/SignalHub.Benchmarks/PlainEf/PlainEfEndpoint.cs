using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using SignalHub.Storage;

namespace SignalHub.Benchmarks.PlainEf;

/// <summary>Look up key, contact, account and lead; add what is new; save; count the usage; commit.</summary>
internal sealed class PlainEfEndpoint(PlainEfContext db, FixedScore score, TimeProvider time)
{
    // Another request made the same person or counted the same lead up: read again.
    private const int MaxTries = 5;

    public async Task<IResult> CaptureAsync(SignalInput input, HttpRequest request)
    {
        var secret = request.Headers.Authorization.ToString().Replace("Bearer ", "", StringComparison.Ordinal);
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(secret));
        var now = time.GetUtcNow().UtcDateTime;
        var key = await db.ApiKeys.AsNoTracking().SingleOrDefaultAsync(k => k.Hash == hash);
        if (key is null || key.RevokedAt is not null || key.ExpiresAt < now || !key.Scopes.Contains("ingest"))
        {
            return Results.Unauthorized();
        }
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var signal = await StoreAsync(key.WorkspaceId, input, now);
                return Results.Created($"/signals/{signal.Id}", new
                {
                    signal_capture_id = signal.Id,
                    matched_record_id = signal.LeadId,
                    qualification = new { icp_code = signal.IcpCode, icp_score = signal.IcpScore, persona_code = signal.PersonaCode, persona_score = signal.PersonaScore },
                });
            }
            catch (DbUpdateException e) when (attempt < MaxTries && (e is DbUpdateConcurrencyException || e.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation }))
            {
                db.ChangeTracker.Clear();
            }
        }
    }

    private async Task<SignalRow> StoreAsync(Guid workspaceId, SignalInput input, DateTime now)
    {
        await using var transaction = await db.Database.BeginTransactionAsync();
        var account = await AccountAsync(workspaceId, input.Identity.CompanyDomain, now);
        var contact = await ContactAsync(workspaceId, input, account, now);
        var lead = await LeadAsync(workspaceId, contact, account, now);
        var signal = NewSignal(workspaceId, input, contact, account, lead, now);
        db.Signals.Add(signal);
        CountUp(lead, signal);
        AddEvent(signal, lead, account, contact);
        await db.SaveChangesAsync();
        await CountUsageAsync(workspaceId, now);
        await transaction.CommitAsync();
        return signal;
    }

    private async Task<AccountRow> AccountAsync(Guid workspaceId, string domain, DateTime now)
    {
        var account = await (from i in db.AccountIdentities
                             join a in db.Accounts on new { i.WorkspaceId, Id = i.AccountId } equals new { a.WorkspaceId, a.Id }
                             where i.WorkspaceId == workspaceId && i.Kind == "domain" && i.Key == domain
                             select a).SingleOrDefaultAsync();
        if (account is null)
        {
            account = new AccountRow { WorkspaceId = workspaceId, Id = Ids.New(now), Domain = domain, CreatedAt = now, UpdatedAt = now };
            db.Accounts.Add(account);
            db.AccountIdentities.Add(new AccountIdentityRow { WorkspaceId = workspaceId, Kind = "domain", Key = domain, AccountId = account.Id, CreatedAt = now });
        }
        return account;
    }

    private async Task<ContactRow> ContactAsync(Guid workspaceId, SignalInput input, AccountRow account, DateTime now)
    {
        var email = input.Identity.Email;
        var contact = await (from i in db.ContactIdentities
                             join c in db.Contacts on new { i.WorkspaceId, Id = i.ContactId } equals new { c.WorkspaceId, c.Id }
                             where i.WorkspaceId == workspaceId && i.Kind == "email" && i.Key == email
                             select c).SingleOrDefaultAsync();
        if (contact is null)
        {
            contact = new ContactRow { WorkspaceId = workspaceId, Id = Ids.New(now), Email = email, CreatedAt = now };
            db.Contacts.Add(contact);
            db.ContactIdentities.Add(new ContactIdentityRow { WorkspaceId = workspaceId, Kind = "email", Key = email, ContactId = contact.Id, Display = email, CreatedAt = now });
        }
        contact.FirstName = input.Identity.FirstName;
        contact.LastName = input.Identity.LastName;
        contact.Title = input.Identity.Title;
        contact.NamesAt = input.OccurredAt.UtcDateTime;
        contact.AccountId = account.Id;
        contact.AccountAt = input.OccurredAt.UtcDateTime;
        contact.UpdatedAt = now;
        return contact;
    }

    private async Task<LeadRow> LeadAsync(Guid workspaceId, ContactRow contact, AccountRow account, DateTime now)
    {
        var lead = await db.Leads.SingleOrDefaultAsync(l => l.WorkspaceId == workspaceId && l.ContactId == contact.Id);
        if (lead is null)
        {
            lead = new LeadRow { WorkspaceId = workspaceId, Id = Ids.New(now), ContactId = contact.Id, CreatedAt = now };
            db.Leads.Add(lead);
        }
        lead.AccountId = account.Id;
        lead.UpdatedAt = now;
        return lead;
    }

    private SignalRow NewSignal(Guid workspaceId, SignalInput input, ContactRow contact, AccountRow account, LeadRow lead, DateTime now)
    {
        var natural = $"{workspaceId}|{input.SignalType}|{input.Source}|{input.Identity.Email}|{input.Identity.CompanyDomain}|{input.OccurredAt:O}";
        return new SignalRow
        {
            WorkspaceId = workspaceId,
            OccurredAt = input.OccurredAt.UtcDateTime,
            Id = Ids.Derive(input.OccurredAt, SHA256.HashData(Encoding.UTF8.GetBytes(natural))), // sent twice, the primary key refuses it
            ReceivedAt = now,
            TypeKey = input.SignalType,
            Source = input.Source,
            EventName = input.EventName,
            Autoqualify = true,
            Identity = JsonSerializer.Serialize(input.Identity, JsonSerializerOptions.Web),
            Context = input.Context.GetRawText(),
            ContactId = contact.Id,
            AccountId = account.Id,
            LeadId = lead.Id,
            Qualified = true,
            IcpCode = score.IcpCode,
            IcpScore = score.IcpScore,
            PersonaCode = score.PersonaCode,
            PersonaScore = score.PersonaScore,
            Qualification = score.Json,
        };
    }

    private static void CountUp(LeadRow lead, SignalRow signal)
    {
        lead.SignalCount++;
        lead.FirstSource ??= signal.Source;
        lead.LastSource = signal.Source;
        lead.BySource = JsonSerializer.Serialize(new Dictionary<string, long> { [signal.Source] = lead.SignalCount });
        lead.FirstSignalAt ??= signal.OccurredAt;
        lead.LastSignalAt = signal.OccurredAt;
        lead.FirstQualifiedAt ??= signal.ReceivedAt;
        lead.ScoredSignalId = signal.Id;
        lead.ScoredOccurredAt = signal.OccurredAt;
        (lead.Qualified, lead.Qualification) = (signal.Qualified, signal.Qualification);
        (lead.IcpCode, lead.IcpScore, lead.PersonaCode, lead.PersonaScore) = (signal.IcpCode, signal.IcpScore, signal.PersonaCode, signal.PersonaScore);
    }

    private void AddEvent(SignalRow signal, LeadRow lead, AccountRow account, ContactRow contact)
    {
        var now = signal.ReceivedAt;
        var raised = new WebhookEventRow { WorkspaceId = signal.WorkspaceId, CreatedAt = now, Id = Ids.New(now), Type = "signal.qualified", SignalId = signal.Id, LeadId = lead.Id };
        raised.Body = JsonSerializer.SerializeToUtf8Bytes(new { @event = raised.Type, raised.Id, raised.CreatedAt, data = new { signal, lead, account, contact } }, JsonSerializerOptions.Web);
        db.Events.Add(raised);
        foreach (var endpoint in score.Endpoints[signal.WorkspaceId])
        {
            db.Deliveries.Add(new DeliveryRow
            {
                WorkspaceId = signal.WorkspaceId,
                Id = Ids.New(now),
                EndpointId = endpoint,
                EventId = raised.Id,
                EventType = raised.Type,
                SignalId = signal.Id,
                LeadId = lead.Id,
                CreatedAt = now,
                QueuedAt = now,
                NextAt = now,
            });
        }
    }

    private async Task CountUsageAsync(Guid workspaceId, DateTime now)
    {
        var slot = new DateTime(now.Ticks - (now.Ticks % TimeSpan.FromSeconds(10).Ticks), DateTimeKind.Utc);
        await db.Database.ExecuteSqlAsync($"insert into usage_batches (workspace_id, slot, events, counted_today) values ({workspaceId}, {slot}, 1, 1)");
    }
}
